"""The Flask adapter: an APIFlask app with request ids, strict bodies, problem+json, tokens, health, metrics and API documents."""

from collections.abc import Callable, Mapping
from functools import partial, wraps
from pathlib import Path
from typing import Any

import flask_swagger_ui
import orjson
from apiflask import APIBlueprint, APIFlask
from flask import Response, current_app, g, request, send_from_directory
from flask.typing import ResponseReturnValue
from pydantic import BaseModel
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from libs.access.caller import Caller
from libs.access.tokens import AccessTokens, bearer_token
from libs.runtime.config import WebConfig
from libs.runtime.health import Health, failure_reason
from libs.runtime.logs import get_logger
from libs.runtime.telemetry import metrics
from libs.values.errors import DomainError, Unavailable
from libs.values.http_methods import METHODS
from libs.values.schema import StrictModel, validated
from libs.web.bodies import MAX_BODY_BYTES, parse_object, require_readable
from libs.web.circuit_breaker import CircuitBreaker
from libs.web.index import index, index_page
from libs.web.instrumentation import RequestInstrumentation
from libs.web.openapi import DOCS_PAGE, DOCS_SCRIPT, document_problems
from libs.web.parameters import require_single, single_values
from libs.web.problems import PROBLEM_JSON, STATUS, error_headers, error_problem, problem
from libs.web.security_headers import ALL_METHODS, BrowserHeaders, is_preflight, is_private, vary

log = get_logger(__name__)

SWAGGER_UI = Path(flask_swagger_ui.__file__).parent / "dist"

View = Callable[..., Response]
Decorator = Callable[[View], View]


def json_response(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response, encoded with orjson."""
    return Response(orjson.dumps(body), status, headers, mimetype="application/json")


def caller() -> Caller:
    """The caller of this request. Raises NotAuthenticated without a valid token."""
    if "caller" not in g:
        tokens: AccessTokens = current_app.extensions["tokens"]
        g.caller = tokens.check_header(request.headers.get("Authorization"))
    found: Caller = g.caller
    return found


def caller_if_any() -> Caller | None:
    """As `caller`, but None when the request has no token. A bad token is still refused, another scheme is no token."""
    return None if bearer_token(request.headers.get("Authorization")) is None else caller()


class Blueprint(APIBlueprint):
    """APIFlask's blueprint with strict input: APIFlask documents the model, this class checks it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.enable_openapi:  # the routes of clients
            self.before_request(_require_single_parameters)

    def requires(self, role: str | None = None) -> Decorator:
        """Require a valid token, and the role when `role` is given."""

        def decorate(view: View) -> View:
            @wraps(view)
            def checked(*args: Any, **kwargs: Any) -> Response:
                found = caller()
                if role:
                    found.require(role)
                return view(*args, **kwargs)

            responses = getattr(checked, "_spec", {}).get("responses")  # doc() drops the responses that it is not given
            documented: View = self.doc(security="bearer", responses=responses)(checked)
            return documented

        return decorate

    def refuses(self, *statuses: int) -> Decorator:
        """Document these error statuses beside those that `document_problems` adds to each route."""
        decorate: Decorator = self.doc(responses=list(statuses))
        return decorate

    def body(self, model: type[BaseModel]) -> Decorator:
        """Pass the JSON body to the view as `body=model(…)`."""
        return self._input(model, "json", "body", _read_body)

    def no_body(self, view: View) -> View:
        """Refuse a body that has fields. A request needs no body, and the documents show none."""

        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Response:
            if request.get_data():
                validated(StrictModel, _read_body())
            return view(*args, **kwargs)

        return checked

    def query(self, model: type[BaseModel]) -> Decorator:
        """Pass the query string to the view as `query=model(…)`."""
        return self._input(model, "query", "query", request_query)

    def _input(
        self, model: type[BaseModel], location: str, name: str, read: Callable[[], Mapping[str, object]]
    ) -> Decorator:
        def decorate(view: View) -> View:
            @wraps(view)
            def checked(*args: Any, **kwargs: Any) -> Response:
                return view(*args, **kwargs, **{name: validated(model, read())})

            self.input(model, location=location)(
                checked
            )  # documents the model; the wrapper that it returns is not used
            return checked

        return decorate


def prefers_html() -> bool:
    """True for a browser: a client whose Accept header prefers HTML to JSON."""
    g.negotiated = True
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def request_query() -> dict[str, str]:
    """The query string. Raises Invalid for a parameter that is repeated or empty."""
    return single_values(request.args.lists())


def _require_single_parameters() -> None:
    require_single(request.args.lists())


def _read_body() -> dict[str, Any]:
    require_readable(request.headers.get("Content-Type"), request.headers.get("Content-Encoding"))
    return parse_object(request.get_data(cache=False))


class _App(APIFlask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Flask's hook, called for each function of a request. None of ours is asynchronous."""
        return func


def make_app(
    *,
    service: str,
    version: str,
    description: str,
    health: Health,
    tokens: AccessTokens,
    is_unavailable: Callable[[Exception], bool],
    web: WebConfig,
    links: Mapping[str, str] | None = None,
) -> APIFlask:
    """An APIFlask app with all that the services share.

    `is_unavailable`: whether an error of a driver means that a server does not serve now. Such errors become 503 problems.
    `links`: the paths of the service's resources, by name, for the index at its root.
    """
    app = _App(
        service,
        title=service,
        version=version,
        docs_path=None,
        json_errors=False,
        template_folder="api/templates",
        static_folder="api/static",
    )
    app.config |= {"MAX_CONTENT_LENGTH": MAX_BODY_BYTES, "DESCRIPTION": description, "AUTO_404_RESPONSE": False}
    app.config["SERVER_NAME"] = "localhost"  # routes ignore the Host header, also one that is no host's name
    app.config |= {"AUTO_VALIDATION_ERROR_RESPONSE": False, "AUTO_AUTH_ERROR_RESPONSE": False}
    app.security_schemes = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    app.spec_processor(document_problems)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # it redirects to an address that holds the Host header
    app.extensions |= {"tokens": tokens, "breaker": CircuitBreaker(), "web": web, "is_unavailable": is_unavailable}
    app.wsgi_app = BrowserHeaders(app.wsgi_app, web.cors_origins)  # type: ignore[method-assign]
    if count := web.proxy_count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _other_error)
    app.register_blueprint(_service_routes(health, links or {}))
    return app


def _service_routes(health: Health, links: Mapping[str, str]) -> Blueprint:
    routes = Blueprint("service", __name__, enable_openapi=False)

    @routes.get("/")
    def show_index() -> Response:
        if prefers_html():
            return Response(index_page(health.service, health.version, links), mimetype="text/html")
        return json_response(index(health.service, health.version, links))

    for path, check in (("/health", health.report), ("/health/live", health.live), ("/health/ready", health.ready)):
        routes.get(path, endpoint=path.strip("/").replace("/", "_"))(partial(_report, check))

    @routes.get("/docs")
    def show_docs() -> Response:
        return Response(DOCS_PAGE.replace("ASSETS", "/docs"), mimetype="text/html")

    @routes.get("/docs/start.js")
    def start_docs() -> Response:
        return Response(DOCS_SCRIPT, mimetype="text/javascript")

    @routes.get("/docs/<path:name>")
    def show_docs_file(name: str) -> Response:
        return send_from_directory(SWAGGER_UI, name)

    @routes.get("/metrics")
    def show_metrics() -> Response:
        return Response(metrics.render(health.worker_statuses(), health.metrics), content_type=metrics.CONTENT_TYPE)

    return routes


def _report(check: Callable[[], tuple[int, dict[str, object]]]) -> Response:
    status, body = check()
    return json_response(body, status)


def _begin() -> Response | None:
    environ = request.environ
    sent_id, sent_trace = environ.get("HTTP_X_REQUEST_ID", ""), environ.get("HTTP_TRACEPARENT", "")
    g.instrumentation = instrumentation = RequestInstrumentation(sent_id, request.path, sent_trace=sent_trace)
    if environ["REQUEST_METHOD"] not in METHODS:  # request.method ignores case
        return _problem(501)
    if request.method == "OPTIONS" and (response := _options()):
        return response
    instrumentation.enter(current_app.extensions["breaker"])
    return None


def _options() -> Response | None:
    """204 for a path that exists, for the server itself (`*`), and for a preflight request. A client may ask without a token."""
    adapter = current_app.create_url_adapter(request)
    allowed = ", ".join(sorted(adapter.allowed_methods())) if adapter else ""
    if request.path == "/*":
        allowed = ALL_METHODS
    origins = current_app.extensions["web"].cors_origins
    if allowed or is_preflight(request.method, dict(request.headers), origins):
        return Response(status=204, headers={"Allow": allowed} if allowed else None)
    return None


def _finish(response: Response) -> Response:
    extensions, environ, headers = current_app.extensions, request.environ, response.headers
    instrumentation: RequestInstrumentation = g.instrumentation
    if varies := vary(extensions["web"].cors_origins, negotiated="negotiated" in g):
        response.vary.update(varies)
    headers["X-Request-ID"] = instrumentation.id
    if is_private(environ, sets_cookie="Set-Cookie" in headers):
        headers["Cache-Control"] = "no-store"
    route = request.url_rule.rule if request.url_rule else "unknown"
    instrumentation.end(extensions["breaker"], environ["REQUEST_METHOD"], route, response.status_code)
    return response


def _problem(status: int, headers: Mapping[str, str] | None = None) -> Response:
    body = problem(status, instance=request.path, request_id=g.instrumentation.id)
    return Response(orjson.dumps(body), status, headers, content_type=PROBLEM_JSON)


def _domain_error(error: DomainError) -> ResponseReturnValue:
    body = error_problem(error, instance=request.path, request_id=g.instrumentation.id)
    return Response(orjson.dumps(body), STATUS[error.kind], error_headers(error), content_type=PROBLEM_JSON)


def _server_unavailable(error: Exception) -> ResponseReturnValue:
    log.warning("server unavailable", reason=failure_reason(error))
    g.instrumentation.server_failed()
    return _domain_error(Unavailable())


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Content-Range", "Retry-After")}
    return _problem(error.code or 500, headers)


def _other_error(error: Exception) -> ResponseReturnValue:
    if current_app.extensions["is_unavailable"](error):
        return _server_unavailable(error)
    log.error("request failed", exc_info=error)
    return _problem(500)
