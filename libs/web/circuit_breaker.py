"""A circuit breaker: while the database hangs, requests are refused at once and do not wait for threads.

A frozen database occupies each thread for its whole time limit. Sixteen such threads block even /health/live. The breaker opens:
- when three requests have waited for the database for more than a second and no request has succeeded since,
- after three requests in a row that failed because of the database.
One request at a time is let through, to find out whether the database is back: one per second after failures, one in five
seconds while requests hang. Each takes up to four seconds, and a request that waited for a thread must end within five.
Other waits, such as those for a slow client, for another service or for a password hash, do not count.
"""

import threading
import time

from prometheus_client import Gauge

from libs.runtime.telemetry.database_waits import WAITS, DatabaseWaits
from libs.values.errors import Unavailable

FAILURES = 3
REST_SECONDS = 1.0
HANG_SECONDS = 1.0
PROBE_SECONDS = 5.0  # the longest time that a request waits for the database


OPEN = Gauge(
    "breaker_open", "1 while a web process refuses requests because its database hangs", multiprocess_mode="livemax"
)


class CircuitBreaker:
    """One per process and server. Safe to use from several threads."""

    def __init__(self, waits: DatabaseWaits = WAITS) -> None:
        self._waits = waits
        self._failures, self._open_until, self._succeeded_at = 0, 0.0, 0.0
        self._hanging_since: float | None = None
        self._in_flight: dict[int, float] = {}  # thread → start of its request
        self._probe: int | None = None  # the thread of the request that was let through
        self._lock = threading.Lock()
        self._shown = False  # whether the metric says that it is open

    def enter(self) -> None:
        """Raise Unavailable while the breaker is open, but for the requests that are let through."""
        try:
            self._enter()
        except Unavailable:
            self._show(is_open=True)
            raise

    def _enter(self) -> None:
        with self._lock:
            now, thread = time.monotonic(), threading.get_ident()
            if failing := self._failures >= FAILURES:
                if now < self._open_until or self._probes(now):
                    raise Unavailable
                self._open_until = now + REST_SECONDS
            if not self._hangs(now):
                self._hanging_since = None
            elif self._hanging_since is None or now - self._hanging_since < PROBE_SECONDS:
                self._hanging_since = self._hanging_since or now
                raise Unavailable
            else:
                self._hanging_since = now
            self._probe = thread if failing else self._probe
            self._in_flight[thread] = now

    def _hangs(self, now: float) -> bool:
        if now - self._succeeded_at <= HANG_SECONDS:
            return False
        waits = [self._waits.since(thread, began) for thread, began in self._in_flight.items()]
        return sum(since is not None and now - since > HANG_SECONDS for since in waits) >= FAILURES

    def _probes(self, now: float) -> bool:
        """True while a request that was let through is still waiting."""
        began = None if self._probe is None else self._in_flight.get(self._probe)
        return began is not None and now - began < PROBE_SECONDS

    def leave(self) -> None:
        """This thread's request has ended, with success or not."""
        with self._lock:
            self._waits.end()
            self._in_flight.pop(thread := threading.get_ident(), None)
            if self._probe == thread:
                self._probe = None

    def failed(self) -> None:
        """A request found the database unavailable."""
        with self._lock:
            self._failures += 1
            self._open_until = time.monotonic() + REST_SECONDS

    def succeeded(self) -> None:
        """A request was answered with the server."""
        with self._lock:
            self._failures, self._succeeded_at = 0, time.monotonic()
        self._show(is_open=False)

    def _show(self, *, is_open: bool) -> None:
        if is_open is not self._shown:
            self._shown = is_open
            OPEN.set(is_open)
