"""One request, from its id to its log line: what both web adapters share."""

import re
import time

from structlog.contextvars import bind_contextvars, clear_contextvars

from libs.runtime.logs import get_logger
from libs.runtime.telemetry import metrics, spans, trace_context
from libs.runtime.telemetry.spans import Span
from libs.values.errors import ErrorKind
from libs.values.http_methods import METHODS
from libs.values.random_ids import random_hex
from libs.web.circuit_breaker import CircuitBreaker
from libs.web.problems import STATUS

log = get_logger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
REQUEST_ID_BYTES = 13  # of a new id. They are random: an ULID takes twenty times as long to make
QUIET = ("/health", "/metrics")  # polled every few seconds: logged only when they fail
UNGUARDED_PATHS = (*QUIET, "/docs", "/openapi.json", "/static")  # answered also while the circuit breaker is open
# These answers need the database. A 400 or 401 proves nothing about it.
ANSWERED_BY_THE_SERVER = {STATUS[kind] for kind in (ErrorKind.CONFLICT, ErrorKind.STALE, ErrorKind.IMPOSSIBLE)}


class RequestInstrumentation:
    """Created when a request arrives. `id` is the client's, or a new one when that is malformed. Each log line carries it.

    It also begins the request's trace: the client's, or a new one.
    """

    def __init__(self, sent_id: str, path: str, *, sent_trace: str) -> None:
        self.id = sent_id if REQUEST_ID.fullmatch(sent_id) else random_hex(REQUEST_ID_BYTES)
        self._began, self._path, self._entered, self._server_failed = time.perf_counter(), path, False, False
        self.reason: str | None = None  # why a request was refused, for its log line
        clear_contextvars()
        bind_contextvars(request_id=self.id)
        self._span = Span("", "server", trace_context.begin_request(sent_trace))

    def enter(self, breaker: CircuitBreaker) -> None:
        """Raise Unavailable while the circuit breaker is open."""
        if self._path != "/" and not self._path.startswith(UNGUARDED_PATHS):
            breaker.enter()
            self._entered = True

    def server_failed(self) -> None:
        """The database was unavailable to this request."""
        self._server_failed = True

    def end(self, breaker: CircuitBreaker, method: str, route: str, status: int) -> None:
        """Update the circuit breaker and the metrics, and log the request. `route` is the template."""
        seconds = time.perf_counter() - self._began
        metrics.observe(method, route, status, seconds)
        self._end_span(method if method in METHODS else "_OTHER", route, status)
        if self._entered:
            breaker.leave()
            if status < 400 or status in ANSWERED_BY_THE_SERVER:
                breaker.succeeded()
            elif self._server_failed:
                breaker.failed()
        if status >= 400 or not self._path.startswith(QUIET):
            known = method if method in METHODS else "unknown"
            why = {"reason": self.reason} if self.reason else {}
            log.info("request", method=known, route=route, status=status, ms=round(seconds * 1000, 1), **why)

    def _end_span(self, method: str, route: str, status: int) -> None:
        if self._span.context.sampled and not self._path.startswith(QUIET):
            self._span.name = f"{method} {route}"
            self._span.attributes = {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
                "shop.request_id": self.id,
            }
            self._span.error = str(status) if status >= 500 else ""
            spans.end(self._span)
