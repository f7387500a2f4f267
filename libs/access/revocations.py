"""Revocations: access tokens that end before they expire, by a logout, a disabled account, a new password or new roles.

A token is void when it was issued before the `not_before` of its user, or of its own session (`sid`). Each service keeps the rows
in its database for an hour, which is longer than a token lives. A process keeps the rows that it has read in memory.

The database's clock dates the rows and the reads, and decides whether a token has expired. The clocks of the processes that write
and read may be minutes apart, and may jump.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.access.caller import Caller
from libs.values.errors import NotAuthenticated, Unavailable

RETENTION_SECONDS = 3600.0
READ_SECONDS = 1.0
OVERLAP_SECONDS = 30.0  # rows do not become visible in the sequence in which they are stored
FIRST_READ_SECONDS = 4.0
PURGE_SECONDS = 60.0
MEMORY_SECONDS = RETENTION_SECONDS + 900  # by the monotonic clock: no other clock drops a revocation


@dataclass(frozen=True)
class Revocation:
    """All tokens of a user (`sid` None) or of one session that were issued before `not_before` (ms since the epoch) are void."""

    user_id: str
    sid: str | None
    not_before: int


Read = Callable[[datetime | None], tuple[datetime, Iterable[Revocation]]]
"""Returns the database's time at the beginning of the read, and the rows stored since the given time. None: all rows. It raises the
errors of the database."""


class Revocations:
    """The revocations of the last hour, in memory; safe to use from several threads.

    With `read`, a check reads the new rows when the last read is a second old. One thread reads, and the others continue with
    the known rows. Without `read`, the owner passes the rows to `add`. With `is_empty=False` no token is valid before the owner
    calls `know_all`.
    """

    def __init__(self, read: Read | None = None, *, is_empty: bool = True) -> None:
        self._read, self._read_at, self._knows_all = read, 0.0, is_empty
        self._since: datetime | None = None
        self._epoch = 0.0  # the database's time when the monotonic clock was 0
        self._ends: dict[tuple[str, str | None], int] = {}
        self._added_at: dict[tuple[str, str | None], float] = {}
        self._purged_at = -PURGE_SECONDS
        self._lock = threading.Lock()

    def add(self, found: Iterable[Revocation]) -> None:
        """Add revocations, in any sequence and any number of times. Once a minute it drops the old ones."""
        for one in found:
            key = (one.user_id, one.sid)
            self._ends[key] = max(one.not_before, self._ends.get(key, 0))
            self._added_at[key] = time.monotonic()
        if time.monotonic() - self._purged_at >= PURGE_SECONDS:
            self._purge()

    def know_all(self) -> None:
        """The owner has passed all revocations that there were at its start."""
        self._knows_all = True

    def now(self) -> float:
        """The time by which tokens expire, in seconds since the epoch. Raises as `check`.

        It is the database's clock as of the last read, and the monotonic clock since. Without `read` it is the host's clock.
        """
        self._refresh()
        return time.time() if self._read is None else self._epoch + time.monotonic()

    def check(self, caller: Caller) -> None:
        """Raise NotAuthenticated when the caller's token was revoked, Unavailable when no row could be read yet."""
        if self.ended(caller.user_id, caller.sid, caller.issued_at):
            raise NotAuthenticated

    def ended(self, user_id: str, sid: str | None, issued_at: int) -> bool:
        """True when a token or session that was issued at that time (ms since the epoch) is void now."""
        self._refresh()
        ends = self._ends
        return bool(ends) and (issued_at < ends.get((user_id, None), 0) or issued_at < ends.get((user_id, sid), 0))

    def _refresh(self) -> None:
        if not self._knows_all:
            raise Unavailable
        if self._read is None or time.monotonic() - self._read_at < READ_SECONDS:
            return
        known = self._read_at > 0  # before the first read no revocation is known, so no token is valid
        if not self._lock.acquire(blocking=not known, timeout=-1 if known else FIRST_READ_SECONDS):
            if not known:
                raise Unavailable
            return
        try:
            if time.monotonic() - self._read_at >= READ_SECONDS:
                self._read_new(self._read)
        finally:
            self._lock.release()

    def _read_new(self, read: Read) -> None:
        asked_at = time.monotonic()
        began, rows = read(self._since)
        if self._since and began < self._since:  # the database's clock was set back: new rows are older than `since`
            began, rows = read(None)
        self.add(rows)
        self._epoch = began.timestamp() - asked_at
        self._since, self._read_at = began - timedelta(seconds=OVERLAP_SECONDS), time.monotonic()

    def _purge(self) -> None:
        now = time.monotonic()
        for key in [key for key, added_at in self._added_at.items() if now - added_at > MEMORY_SECONDS]:
            del self._ends[key], self._added_at[key]
        self._purged_at = now
