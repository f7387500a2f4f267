"""The ids of sent mails in memory: 10 million of them take about 110 MiB. The oldest hours make room for new ids.

An id is a ULID: 48 bits of time, 80 random bits. Of the random bits 64 are kept, in the bucket of the id's hour. So two of
a million ids of one hour are taken for the same with a chance of 3 in 100 million.
"""

import threading
from array import array
from bisect import bisect_left
from dataclasses import dataclass, field

MAX_IDS = 10_000_000
MAX_OPEN = 200_000  # ids in sets, which take 80 bytes each; a sorted array takes 8
MAX_RUNS = 8  # arrays of an hour, each of which a search asks
HOUR_MS = 3_600_000
MASK = (1 << 64) - 1
CROCKFORD = str.maketrans("0123456789ABCDEFGHJKMNPQRSTVWXYZ", "0123456789abcdefghijklmnopqrstuv")


def time_of(event_id: str) -> int:
    """The time in a ULID, in ms since the epoch. Raises ValueError."""
    return int(event_id[:10].translate(CROCKFORD), 32)


@dataclass(slots=True)
class _Hour:
    young: set[int] = field(default_factory=set)
    runs: list["array[int]"] = field(default_factory=list)

    def __contains__(self, number: int) -> bool:
        if number in self.young:  # asked first: `close` fills the runs before it empties the set
            return True
        for run in self.runs:
            place = bisect_left(run, number)
            if place < len(run) and run[place] == number:
                return True
        return False

    def __len__(self) -> int:
        return len(self.young) + sum(map(len, self.runs))

    def close(self) -> None:
        """Sort the set into an array."""
        runs, run = self.runs, array("Q", sorted(self.young))
        if len(runs) >= MAX_RUNS:
            for other in runs:
                run.extend(other)
            runs, run = [], array("Q", sorted(run))
        self.runs, self.young = [*runs, run], set()


class SentIds:
    """A set of ULIDs with a bound. Any thread may ask it and add to it."""

    def __init__(self, limit: int = MAX_IDS, *, max_open: int = MAX_OPEN) -> None:
        """Above `limit` ids those of the oldest hours are dropped. `max_open`: how many are kept in sets."""
        self._limit, self._max_open = limit, max_open
        self._hours, self._count, self._open, self._lock = dict[int, _Hour](), 0, 0, threading.Lock()
        self.kept_from = 0
        """Ids of before this time (ms since the epoch) were dropped. 0: none was."""

    def __len__(self) -> int:
        return self._count

    def __contains__(self, event_id: str) -> bool:
        hour = self._hours.get(time_of(event_id) // HOUR_MS)
        return hour is not None and _number(event_id) in hour

    def add(self, event_id: str) -> None:
        """Add an id. One that is older than the ids that were dropped is dropped, too. Raises ValueError for no ULID."""
        self.insert(time_of(event_id), _number(event_id))

    def insert(self, at: int, number: int) -> None:
        """Add an id by its time, in ms since the epoch, and its 64 random bits."""
        with self._lock:
            if at < self.kept_from:
                return
            hour = self._hours.setdefault(at // HOUR_MS, _Hour())
            if number in hour:
                return
            hour.young.add(number)
            self._count += 1
            self._open += 1
            if self._open > self._max_open:
                self._close_largest()
            while self._count > self._limit and len(self._hours) > 1:
                self._drop_oldest()

    def _close_largest(self) -> None:
        hour = max(self._hours.values(), key=lambda hour: len(hour.young))
        self._open -= len(hour.young)
        hour.close()

    def _drop_oldest(self) -> None:
        oldest = min(self._hours)
        hour = self._hours.pop(oldest)
        self._count -= len(hour)
        self._open -= len(hour.young)
        self.kept_from = (oldest + 1) * HOUR_MS


def _number(event_id: str) -> int:
    return int(event_id[10:].translate(CROCKFORD), 32) & MASK
