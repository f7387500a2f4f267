"""The Django REST Framework adapter, the twin of `flask`: request ids, strict bodies, problem+json, health, metrics.

Import it after Django's settings are configured. A client that prefers HTML gets a page in place of a problem document. The
service's template problem.html renders the page.
"""

import sys
from collections.abc import Callable, Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template import loader
from django.urls import Resolver404, URLPattern, path, resolve
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions, negotiation, parsers, renderers
from rest_framework.request import Request
from rest_framework.response import Response
from structlog.contextvars import get_contextvars

from libs.django_store.connection import is_unavailable
from libs.runtime.health import Health, failure_reason
from libs.runtime.logs import get_logger
from libs.runtime.telemetry import metrics
from libs.values import errors
from libs.values.http_methods import METHODS
from libs.web.bodies import MAX_BODY_BYTES, UnsupportedMediaType, parse_object, require_readable
from libs.web.circuit_breaker import CircuitBreaker
from libs.web.index import index, index_page
from libs.web.instrumentation import QUIET, RequestInstrumentation
from libs.web.problems import PROBLEM_JSON, STATUS, error_headers, error_problem, problem
from libs.web.security_headers import ALL_METHODS, is_preflight, is_private, vary

log = get_logger(__name__)

DISK_FULL = [(1021,), (1114,)]  # MySQL's ER_DISK_FULL, ER_RECORD_FILE_FULL
MEANINGS: dict[tuple[type[Exception], ...], type[errors.DomainError]] = {
    (exceptions.NotAuthenticated,): errors.NotAuthenticated,
    (exceptions.AuthenticationFailed,): errors.InvalidToken,
    (exceptions.UnsupportedMediaType,): UnsupportedMediaType,
    (exceptions.PermissionDenied, PermissionDenied): errors.NotAllowed,
}
"""Errors of Django and DRF, and the domain error that each stands for."""
View = Callable[..., HttpResponse]
MAX_HOSTS = 100  # that a process remembers; a wildcard accepts any number
READ_ONLY, READ = "GET, HEAD", "GET, HEAD, OPTIONS"


class UnknownHost(errors.DomainError):
    kind, code, title = errors.ErrorKind.INVALID, "unknown-host", "This service has no such host name"


class RequestMiddleware:
    """The outermost middleware: request id, body limit, circuit breaker, headers for browsers, access log, metrics."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response, self._breaker = get_response, CircuitBreaker()
        self._hosts: set[str | None] = set()
        """Values of the header Host that Django has accepted."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent_id, sent_trace = request.META.get("HTTP_X_REQUEST_ID", ""), request.META.get("HTTP_TRACEPARENT", "")
        instrumentation = RequestInstrumentation(sent_id, request.path, sent_trace=sent_trace)
        response = self._respond(request, instrumentation)
        if varies := vary(settings.CORS_ORIGINS, negotiated=hasattr(request, "negotiated")):
            patch_vary_headers(response, varies)
        response["X-Request-ID"] = instrumentation.id
        if is_private(request.META, sets_cookie=bool(response.cookies)):
            response["Cache-Control"] = "no-store"
        instrumentation.end(self._breaker, request.META["REQUEST_METHOD"], _route(request), response.status_code)
        return response

    def _respond(self, request: HttpRequest, instrumentation: RequestInstrumentation) -> HttpResponse:
        request.instrumentation = instrumentation  # type: ignore[attr-defined] # for the handlers of errors
        if request.META["REQUEST_METHOD"] not in METHODS:  # request.method ignores case
            return _fail(request, 501)
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY_BYTES:
            return _fail(request, 413)
        if request.method == "OPTIONS" and (response := _options(request)):
            return response
        if request.path_info.startswith(QUIET) and (response := _probe(request)):
            return response
        if not self._is_known_host(request):
            instrumentation.reason = "unknown host"
            return _fail_with(request, UnknownHost())
        try:
            instrumentation.enter(self._breaker)
        except errors.Unavailable as error:
            return _fail_with(request, error)
        return self.get_response(request)

    def _is_known_host(self, request: HttpRequest) -> bool:
        """Whether Django accepts the request's host. Otherwise it would log a traceback later."""
        host = request.META.get("HTTP_HOST")
        if host not in self._hosts:
            try:
                request.get_host()
            except DisallowedHost:
                return False
            if len(self._hosts) < MAX_HOSTS:
                self._hosts.add(host)
        return True


def _request_id() -> str:
    return str(get_contextvars().get("request_id", ""))


def _options(request: HttpRequest) -> HttpResponse | None:
    """204 for a path that exists, for the server itself (`*`), and for a preflight request. A client may ask without a token."""
    try:
        allowed = _allowed(resolve(request.path_info).func)
    except Resolver404:
        is_file = request.path_info.startswith(f"/{settings.STATIC_URL.strip('/')}/")  # WhiteNoise has no routes
        allowed = ALL_METHODS if request.path == "/*" else READ if is_file else ""
    if allowed or is_preflight(request.method, request.headers, settings.CORS_ORIGINS):
        return HttpResponse(status=204, headers={"Allow": allowed} if allowed else None)
    return None


def _probe(request: HttpRequest) -> HttpResponse | None:
    """The response of /health or /metrics, whatever host is asked for: probes and scrapes come by address."""
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return None
    request.resolver_match = match
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    return response


def _allowed(view: Any) -> str:
    """The methods of a view. A view of the admin, which does not say, has those of forms."""
    if (kind := getattr(view, "cls", None) or getattr(view, "view_class", None)) is None:
        return str(getattr(view, "allow", f"{READ}, POST"))
    methods = {name.upper() for name in kind.http_method_names if hasattr(kind, name)} & METHODS
    return ", ".join(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))


def _route(request: HttpRequest) -> str:
    return "/" + request.resolver_match.route.rstrip("/") if request.resolver_match else "unknown"


def routes(route: str, view: View) -> list[URLPattern]:
    """`view` at `route`, with and without a trailing slash."""
    return [path(route, view), path(route + "/", view)]


def service_routes(health: Health, links: Mapping[str, str] | None = None) -> list[URLPattern]:
    """The index at the root, /health, /health/live, /health/ready and /metrics. `links`: the service's resources, by name."""

    def show_metrics() -> HttpResponse:
        return HttpResponse(metrics.render(health.worker_statuses(), health.metrics), content_type=metrics.CONTENT_TYPE)

    about = (health.service, health.version, links or {})

    @csrf_exempt
    def show_index(request: HttpRequest) -> HttpResponse:
        if prefers_html(request):
            return get_view(lambda: HttpResponse(index_page(*about)))(request)
        return get_view(lambda: _report(200, index(*about)))(request)

    return [
        path("", _allow(show_index, READ)),
        *routes("health", get_view(lambda: _report(*health.report()))),
        *routes("health/live", get_view(lambda: _report(*health.live()))),
        *routes("health/ready", get_view(lambda: _report(*health.ready()))),
        *routes("metrics", get_view(show_metrics)),
    ]


def get_view(respond: Callable[[], HttpResponse]) -> View:
    """A view for GET and HEAD that ignores everything else in the request."""

    @csrf_exempt
    def view(request: HttpRequest) -> HttpResponse:
        return respond() if request.method in ("GET", "HEAD") else _fail(request, 405, {"Allow": READ_ONLY})

    return _allow(view, READ)


def _allow(view: View, methods: str) -> View:
    view.allow = methods  # type: ignore[attr-defined] # read by _allowed
    return view


def _report(status: int, body: Mapping[str, object]) -> HttpResponse:
    return HttpResponse(orjson.dumps(body), status=status, content_type="application/json")


def prefers_html(request: HttpRequest | Request) -> bool:
    """True for a browser: a client whose Accept header prefers HTML to JSON."""
    if isinstance(request, HttpRequest):
        request.negotiated = True  # type: ignore[attr-defined] # for the header Vary, which the framework sets for its own views
    if request.META.get("HTTP_ACCEPT", "*/*") in ("*/*", "application/json"):
        return False
    return request.get_preferred_type(["application/json", "text/html"]) == "text/html"


class Negotiation(negotiation.DefaultContentNegotiation):
    """The page for a browser, JSON for every other client. It never answers 406."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        html = [r for r in renderers if r.media_type == "text/html"] if prefers_html(request) else []
        chosen = [*html, *renderers][0]
        return chosen, chosen.media_type


class JSONRenderer(renderers.BaseRenderer):
    """Renders JSON with orjson."""

    media_type, format, charset = "application/json", "json", None

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """The body of the response."""
        return b"" if data is None else orjson.dumps(data)


class JSONParser(parsers.BaseParser):
    """Parses a JSON object. Everything else is an error."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> dict[str, Any]:
        """The parsed body. Raises the errors of `require_readable` and `parse_object`."""
        require_readable(media_type, (parser_context or {})["request"].headers.get("Content-Encoding"))
        return parse_object(stream.read())


def handle_exception(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler. It renders a problem for every error but a crash: Django passes that to `server_error_view`."""
    request = context["request"]
    html = request.accepted_renderer.media_type == "text/html"
    if (known := _domain_error(error, request)) is not None:
        body = error_problem(known, instance=request.path, request_id=_request_id())
        status, headers = STATUS[known.kind], error_headers(known)
    elif (status := _status_of(error)) == 500:
        return None
    else:
        body, headers = problem(status, instance=request.path, request_id=_request_id()), {}
    return Response(body, status, None, headers, content_type=None if html else PROBLEM_JSON)


def error_view(status: int) -> View:
    """Django's error handler for `status`, and its CSRF_FAILURE_VIEW."""
    return lambda request, exception=None, reason="": _fail(request, status)


def server_error_view(request: HttpRequest) -> HttpResponse:
    """Django's handler500, called while the exception is handled. An unavailable database is not a crash."""
    error = sys.exc_info()[1]
    if (known := _domain_error(error, request)) is not None:
        return _fail_with(request, known)
    if (status := _status_of(error)) == 500:
        log.error("request failed", exc_info=error)
    return _fail(request, status)


def _domain_error(error: BaseException | None, request: Any) -> errors.DomainError | None:
    """The domain error that `error` is or stands for."""
    if is_unavailable(error):
        full = error.args[:1] in DISK_FULL  # it serves reads, so the circuit breaker must not open
        if not full and (instrumentation := getattr(request, "instrumentation", None)):
            instrumentation.server_failed()
        log.warning("server unavailable", reason=failure_reason(error), code=error.args[:1])
        error = errors.NoRoom() if full else errors.Unavailable()
    error = next((domain() for kinds, domain in MEANINGS.items() if isinstance(error, kinds)), error)
    return error if isinstance(error, errors.DomainError) else None


def _status_of(error: BaseException | None) -> int:
    """The status of an error of Django or DRF. Every other error is a crash: 500."""
    return 404 if isinstance(error, Http404) else int(getattr(error, "status_code", 500))


def _fail(request: HttpRequest, status: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
    return _render(request, problem(status, instance=request.path, request_id=_request_id()), status, headers)


def _fail_with(request: HttpRequest, error: errors.DomainError) -> HttpResponse:
    body = error_problem(error, instance=request.path, request_id=_request_id())
    return _render(request, body, STATUS[error.kind], error_headers(error))


def _render(
    request: HttpRequest, body: Mapping[str, object], status: int, headers: Mapping[str, str] | None
) -> HttpResponse:
    if request.method != "OPTIONS" and prefers_html(request):
        page = loader.render_to_string(
            "problem.html", {"problem": body}
        )  # without the request: it must not authenticate
        return HttpResponse(page, status=status, headers=headers)
    return HttpResponse(orjson.dumps(body), status=status, headers=headers, content_type=PROBLEM_JSON)
