"""A breaker for calls to another service: after failures in a row no call is made for a while.

It protects the caller, whose threads would wait for each call. libs.web.circuit_breaker does the same for a service's database.
"""

import threading
import time
from collections.abc import Callable

FAILURES = 3
REST_SECONDS = 5.0


class CallBreaker:
    """One per process and service. After FAILURES in a row it lets one call through every REST_SECONDS.

    It is safe to use from several threads.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: in seconds."""
        self._clock, self._failures, self._open_until, self._lock = clock, 0, 0.0, threading.Lock()

    def allows(self) -> bool:
        """True when a call may be made. The caller reports its outcome."""
        with self._lock:
            now = self._clock()
            if self._failures < FAILURES:
                return True
            if now < self._open_until:
                return False
            self._open_until = now + REST_SECONDS
            return True

    def report(self, *, success: bool) -> None:
        """The outcome of a call."""
        with self._lock:
            self._failures = 0 if success else self._failures + 1
            self._open_until = self._clock() + REST_SECONDS
