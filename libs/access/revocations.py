"""Tokens that end before their time: who logged out, was disabled, or changed password or roles.

A token is void when it was issued before the `not_before` of its user, or of its own session (`sid`). The rows live in each
service's database and are forgotten after an hour, for tokens live a quarter of one; here is what of them a process has seen.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from libs.values.errors import NotAuthenticated, Unavailable

KEPT_SECONDS = 3600.0
READ_SECONDS = 1.0
OVERLAP_SECONDS = 30.0  # rows are seen in another order than they were stored in, and clocks differ
FIRST_READ_SECONDS = 4.0
FORGET_SECONDS = 60.0


@dataclass(frozen=True)
class Revocation:
    """All tokens of a user (`sid` None) or of one session that were issued before `not_before` (ms since the epoch) are void."""

    user_id: str
    sid: str | None
    not_before: int


def issued_at(claims: Mapping[str, Any]) -> int:
    """When the token with these claims was issued, in ms since the epoch."""
    return round(float(claims["iat"]) * 1000)


Read = Callable[[float], Iterable[Revocation]]
"""The rows that were stored since a time, in seconds since the epoch; the database's errors go through."""


class Revocations:
    """The revocations of the last hour, in memory; safe to use from several threads.

    With `read`, a check reads the new rows when the last look is a second old: one thread does, the others go on with
    what is known. Without, somebody else feeds it by `add`.
    """

    def __init__(self, read: Read | None = None) -> None:
        self._read, self._read_at, self._since = read, 0.0, time.time() - KEPT_SECONDS
        self._ends: dict[tuple[str, str | None], int] = {}
        self._forgot_at = -FORGET_SECONDS
        self._lock = threading.Lock()

    def add(self, found: Iterable[Revocation]) -> None:
        """Take note of revocations, in any order and any number of times, and once a minute forget the old ones."""
        for one in found:
            key = (one.user_id, one.sid)
            self._ends[key] = max(one.not_before, self._ends.get(key, 0))
        if time.monotonic() - self._forgot_at >= FORGET_SECONDS:
            self._forget()

    def check(self, claims: Mapping[str, Any]) -> None:
        """Raise NotAuthenticated when the token with these claims was revoked, Unavailable when that can't be known."""
        if self.ended(claims["user_id"], claims.get("sid"), issued_at(claims)):
            raise NotAuthenticated

    def ended(self, user_id: str, sid: str | None, issued_at: int) -> bool:
        """True when what was issued at that time (ms since the epoch), token or session, is void by now."""
        self._look()
        keys = {(user_id, None), (user_id, sid)}
        return any(issued_at < self._ends.get(key, 0) for key in keys)

    def _look(self) -> None:
        if self._read is None or time.monotonic() - self._read_at < READ_SECONDS:
            return
        known = self._read_at > 0  # before the first look nothing is known, and nobody may go on
        if not self._lock.acquire(blocking=not known, timeout=-1 if known else FIRST_READ_SECONDS):
            if not known:
                raise Unavailable
            return
        try:
            if time.monotonic() - self._read_at >= READ_SECONDS:
                began = time.time()
                self.add(self._read(self._since))
                self._since, self._read_at = began - OVERLAP_SECONDS, time.monotonic()
        finally:
            self._lock.release()

    def _forget(self) -> None:
        oldest = (time.time() - KEPT_SECONDS) * 1000
        for key in [key for key, end in self._ends.items() if end < oldest]:
            del self._ends[key]
        self._forgot_at = time.monotonic()
