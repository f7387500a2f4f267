"""A circuit breaker: while a server hangs, requests are refused at once and do not wait for threads.

A frozen database occupies each thread for its whole time limit. Sixteen such threads block even /health/live. The breaker opens:
- when three requests hang for more than a second and no request has succeeded since,
- after three failures in a row. Then one request per second is let through, to find out whether the server is back.
"""

import threading
import time

from libs.values.errors import Unavailable

FAILURES = 3
REST_SECONDS = 1.0
HANG_SECONDS = 1.0


class CircuitBreaker:
    """One per process and server. Safe to use from several threads."""

    def __init__(self) -> None:
        self._failures, self._open_until, self._succeeded_at = 0, 0.0, 0.0
        self._in_flight: dict[int, float] = {}  # thread → start of its request
        self._lock = threading.Lock()

    def enter(self) -> None:
        """Raise Unavailable while the breaker is open. After REST_SECONDS it lets one request through."""
        with self._lock:
            now = time.monotonic()
            if self._failures >= FAILURES:
                if now < self._open_until:
                    raise Unavailable
                self._open_until = now + REST_SECONDS
            hanging = sum(now - began > HANG_SECONDS for began in self._in_flight.values())
            if hanging >= FAILURES and now - self._succeeded_at > HANG_SECONDS:
                raise Unavailable
            self._in_flight[threading.get_ident()] = now

    def leave(self) -> None:
        """This thread's request has ended, with success or not."""
        with self._lock:
            self._in_flight.pop(threading.get_ident(), None)

    def failed(self) -> None:
        """A request found the server unavailable."""
        with self._lock:
            self._failures += 1
            self._open_until = time.monotonic() + REST_SECONDS

    def succeeded(self) -> None:
        """A request was answered with the server."""
        with self._lock:
            self._failures, self._succeeded_at = 0, time.monotonic()
