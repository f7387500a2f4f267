"""One request, from its id to its line in the log: what both web adapters do alike."""

import re
import time

from structlog.contextvars import bind_contextvars, clear_contextvars
from ulid import ULID

from libs.runtime import metrics
from libs.runtime.logs import get_logger
from libs.values.errors import ErrorKind
from libs.web.circuit_breaker import CircuitBreaker

log = get_logger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
QUIET = ("/health", "/metrics")  # polled every few seconds: logged only when they fail
UNGUARDED_PATHS = (*QUIET, "/docs", "/openapi.json", "/static")  # answered whatever the breaker says
NEEDED_THE_SERVER = (
    ErrorKind.CONFLICT,
    ErrorKind.STALE,
    ErrorKind.IMPOSSIBLE,
)  # a 400 or 401 says nothing of the database


class RequestInstrumentation:
    """Made when a request comes in. `id` is the client's when it is well-formed, else a new one; it is on each line of the log."""

    def __init__(self, sent_id: str, path: str) -> None:
        self.id = sent_id if REQUEST_ID.fullmatch(sent_id) else str(ULID())
        self._began, self._path, self._entered = time.perf_counter(), path, False
        clear_contextvars()
        bind_contextvars(request_id=self.id)

    def enter(self, breaker: CircuitBreaker) -> None:
        """Raise Unavailable while the breaker is open."""
        if not self._path.startswith(UNGUARDED_PATHS):
            breaker.enter()
            self._entered = True

    def end(self, breaker: CircuitBreaker, method: str, route: str, status: int) -> None:
        """Tell the breaker, the metrics and the log; `route` is the template."""
        seconds = time.perf_counter() - self._began
        metrics.observe(method, route, status, seconds)
        breaker.leave()
        if self._entered and (status < 400 or status in NEEDED_THE_SERVER):
            breaker.worked()
        elif self._entered and status == ErrorKind.UNAVAILABLE:
            breaker.failed()
        if status >= 400 or not self._path.startswith(QUIET):
            log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))
