"""A small circuit breaker: while a server behind hangs, requests are refused at once instead of queueing for threads.

A frozen database holds each thread for its whole time limit; sixteen such threads starve even /health/live. So requests are refused
as soon as three hang for more than a second and none has worked since; and after three failures in a row, but for one request
every second, which finds out whether the server is back: so a server that returns is missed for a second, no longer.
"""

import threading
import time

from libs.values.errors import Unavailable

FAILURES = 3
REST_SECONDS = 1.0
HANG_SECONDS = 1.0


class CircuitBreaker:
    """One per process and server behind; safe to use from several threads."""

    def __init__(self) -> None:
        self._failures, self._open_until, self._worked_at = 0, 0.0, 0.0
        self._inside: dict[int, float] = {}  # thread → when its request came in
        self._lock = threading.Lock()

    def enter(self) -> None:
        """Raise Unavailable while the breaker is open; let one request through when it has rested."""
        with self._lock:
            now = time.monotonic()
            if self._failures >= FAILURES:
                if now < self._open_until:
                    raise Unavailable
                self._open_until = now + REST_SECONDS
            hanging = sum(now - began > HANG_SECONDS for began in self._inside.values())
            if hanging >= FAILURES and now - self._worked_at > HANG_SECONDS:
                raise Unavailable
            self._inside[threading.get_ident()] = now

    def leave(self) -> None:
        """This thread's request is over, whatever came of it."""
        with self._lock:
            self._inside.pop(threading.get_ident(), None)

    def failed(self) -> None:
        """A request found the server away."""
        with self._lock:
            self._failures += 1
            self._open_until = time.monotonic() + REST_SECONDS

    def worked(self) -> None:
        """A request was answered with the server's help."""
        with self._lock:
            self._failures, self._worked_at = 0, time.monotonic()
