"""The Django REST Framework adapter, the twin of `flask`: request ids, strict bodies, problem+json, health, metrics.

Importable once Django's settings are there. A client that prefers HTML gets a page in place of a problem, made by the service's
template problem.html.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template import loader
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions, negotiation, parsers, renderers
from rest_framework.response import Response
from structlog.contextvars import get_contextvars

from libs.django_store.connection import UNAVAILABLE_ERRORS
from libs.runtime import metrics
from libs.runtime.health import Health, failure_reason
from libs.runtime.logs import get_logger
from libs.values import errors
from libs.web import problems
from libs.web.bodies import MAX_BODY_BYTES, parse_object
from libs.web.circuit_breaker import CircuitBreaker
from libs.web.instrumentation import RequestInstrumentation
from libs.web.security_headers import browser_headers, is_preflight

log = get_logger(__name__)

DISK_FULL = [(1021,), (1114,)]  # MySQL's ER_DISK_FULL, ER_RECORD_FILE_FULL
JSON = problems.PROBLEM_JSON
MEANINGS: dict[tuple[type[Exception], ...], type[errors.DomainError]] = {
    UNAVAILABLE_ERRORS: errors.Unavailable,
    (exceptions.NotAuthenticated, exceptions.AuthenticationFailed): errors.NotAuthenticated,
    (exceptions.PermissionDenied, PermissionDenied): errors.NotAllowed,
}
"""What errors of Django and DRF mean."""
View = Callable[..., HttpResponse]


class RequestMiddleware:
    """The outermost middleware: request id, body limit, breaker, headers for browsers, access log, metrics."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response, self._breaker = get_response, CircuitBreaker()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        visit = RequestInstrumentation(request.headers.get("X-Request-ID", ""), request.path)
        response = self._answer(request, visit)
        for name, value in browser_headers(request.headers, settings.CORS_ORIGINS, secure=request.is_secure()).items():
            response.headers.setdefault(name, value)
        response["X-Request-ID"] = visit.id
        visit.end(self._breaker, str(request.method), _route(request), response.status_code)
        return response

    def _answer(self, request: HttpRequest, visit: RequestInstrumentation) -> HttpResponse:
        if int(request.headers.get("Content-Length") or 0) > MAX_BODY_BYTES:
            return _fail(request, 413)
        if "Transfer-Encoding" in request.headers:  # Django would take a chunked body for an empty one
            return _fail(request, 411)
        if is_preflight(request.method, request.headers, settings.CORS_ORIGINS):
            return HttpResponse(status=204)
        try:
            visit.enter(self._breaker)
        except errors.Unavailable as error:
            return _fail(request, *_describe(error))
        return self._get_response(request)


def _request_id() -> str:
    return str(get_contextvars().get("request_id", ""))


def _route(request: HttpRequest) -> str:
    return "/" + request.resolver_match.route.rstrip("/") if request.resolver_match else "unknown"


def routes(route: str, view: View) -> list[URLPattern]:
    """`view` at `route`, with and without a slash at the end."""
    return [path(route, view), path(route + "/", view)]


def service_routes(health: Health) -> list[URLPattern]:
    """/health, /health/live, /health/ready and /metrics."""

    def show_metrics() -> HttpResponse:
        return HttpResponse(metrics.render(health.parts()), content_type=metrics.CONTENT_TYPE)

    return [
        *routes("health", get_view(lambda: _report(*health.report()))),
        *routes("health/live", get_view(lambda: _report(*health.live()))),
        *routes("health/ready", get_view(lambda: _report(*health.ready()))),
        *routes("metrics", get_view(show_metrics)),
    ]


def get_view(answer: Callable[[], HttpResponse]) -> View:
    """A view that answers GET and HEAD, whatever the request holds."""

    @csrf_exempt
    def view(request: HttpRequest) -> HttpResponse:
        return answer() if request.method in ("GET", "HEAD") else _fail(request, 405, {"Allow": "GET, HEAD"})

    return view


def _report(status: int, body: Mapping[str, Any]) -> HttpResponse:
    return HttpResponse(orjson.dumps(body), status=status, content_type="application/json")


def wants_html(request: Any) -> bool:
    """True for a browser: a client whose Accept header prefers HTML to JSON."""
    return bool(request.get_preferred_type(["application/json", "text/html"]) == "text/html")


class Negotiation(negotiation.DefaultContentNegotiation):
    """The page for a browser, JSON for everybody else: never 406."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        html = [r for r in renderers if r.media_type == "text/html"] if wants_html(request) else []
        chosen = [*html, *renderers][0]
        return chosen, chosen.media_type


class JSONRenderer(renderers.BaseRenderer):
    """JSON by orjson."""

    media_type, format, charset = "application/json", "json", None

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """The body."""
        return b"" if data is None else orjson.dumps(data)


class JSONParser(parsers.BaseParser):
    """A JSON object, and nothing else."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> dict[str, Any]:
        """Raises MalformedBody, TooDeep."""
        return parse_object(stream.read())


def handle_exception(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler: a problem for everything but a crash, which goes on to Django and `crashed`."""
    status, headers, members = _describe(error)
    if status == 500:
        return None
    request = context["request"]
    html = request.accepted_renderer.media_type == "text/html"
    return Response(_problem(request, status, members), status, None, headers, content_type=None if html else JSON)


def error_view(status: int) -> View:
    """Django's error handler for `status`, and its CSRF_FAILURE_VIEW."""
    return lambda request, exception=None, reason="": _fail(request, status)


def server_error_view(request: HttpRequest) -> HttpResponse:
    """Django's handler500, called while the exception is handled; a database that is away is no crash."""
    error = sys.exc_info()[1]
    if (answer := _describe(error))[0] == 500:
        log.error("request failed", exc_info=error)
    return _fail(request, *answer)


def _describe(error: BaseException | None) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, headers and members of the problem."""
    if isinstance(error, UNAVAILABLE_ERRORS):
        log.warning("a server is away", reason=failure_reason(error), code=error.args[:1])
        error = errors.NoRoom() if error.args[:1] in DISK_FULL else error
    error = next((domain() for kinds, domain in MEANINGS.items() if isinstance(error, kinds)), error)
    if isinstance(error, errors.DomainError):
        members = {"code": error.code, "title": error.title, "detail": error.detail, **error.extra}
        return error.kind, error.headers, members
    return (404 if isinstance(error, Http404) else getattr(error, "status_code", 500)), {}, {}


def _problem(request: Any, status: int, members: Mapping[str, Any]) -> dict[str, Any]:
    return problems.problem(status, instance=request.path, request_id=_request_id(), **members)


def _fail(
    request: HttpRequest,
    status: int,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> HttpResponse:
    body = _problem(request, status, members or {})
    if wants_html(request):
        page = loader.render_to_string("problem.html", {"problem": body})  # no request: it must not ask who calls
        return HttpResponse(page, status=status, headers=headers)
    return HttpResponse(orjson.dumps(body), status=status, headers=headers, content_type=JSON)
