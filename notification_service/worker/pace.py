"""How many mails may be sent at once now.

All permits while nothing is wrong. While a server is unavailable one mail at a time, after 1 s * 2^n with full jitter, at most
30 s.
A server that refuses one more session while others work gets one fewer for five minutes.
"""

import random
import threading
import time

BACKOFF_CAP_SECONDS = 30.0
FEWER_SECONDS = 300.0


class Pace:
    """Counts what the servers do. Safe to use from several threads."""

    def __init__(self, permits: int) -> None:
        self._permits, self._fewer, self._lock = permits, list[float](), threading.Lock()
        self._failures, self._not_before = 0, 0.0
        self.reason = ""
        """Why a server is unavailable. "": none is."""

    @property
    def failures(self) -> int:
        """How often in a row a server was unavailable."""
        return self._failures

    def limit(self, now: float) -> int:
        """How many mails may be sent at once at this time of time.monotonic()."""
        if self._failures:
            return 1 if now >= self._not_before else 0
        return max(1, self._permits - sum(now < end for end in self._fewer))

    def fail(self, reason: str) -> float:
        """A server was unavailable. Returns the seconds until the next mail is tried."""
        with self._lock:
            self._failures += 1
            wait = random.uniform(0, min(BACKOFF_CAP_SECONDS, 2.0 ** min(self._failures - 1, 10)))
            self._not_before, self.reason = time.monotonic() + wait, reason
            return wait

    def succeed(self) -> None:
        """The servers handled a mail."""
        if self._failures:
            with self._lock:
                self._failures, self.reason = 0, ""

    def refuse_session(self) -> None:
        """The SMTP server refused one more session while others work."""
        now = time.monotonic()
        with self._lock:
            fewer = [end for end in self._fewer if now < end]
            self._fewer = [*fewer[: max(0, self._permits - 2)], now + FEWER_SECONDS]
