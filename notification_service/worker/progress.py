"""How far the group's member is behind in each partition, and which partitions stand still."""

import time
from collections.abc import Mapping, Set
from typing import Any

STALLED_SECONDS = 120.0  # a partition with events that moved no further for so long

Place = tuple[str, int]


class Progress:
    """Give it the offsets that are done, and the statistics reports, which have the ends of the partitions."""

    def __init__(self) -> None:
        self._done, self._ends = dict[Place, int](), dict[Place, int]()
        self._moved_at = dict[Place, float]()
        self.lag = 0
        """How many events of the assigned partitions are not done."""

    def begin(self, committed: Mapping[Place, int]) -> None:
        """New partitions with their committed offsets; negative ones have none."""
        now = time.monotonic()
        self._done = {place: max(0, offset) for place, offset in committed.items()}
        self._moved_at, self._ends, self.lag = dict.fromkeys(committed, now), {}, 0

    def move(self, positions: Mapping[Place, int]) -> None:
        """These partitions are done up to these offsets."""
        now = time.monotonic()
        self._done |= positions
        self._moved_at |= dict.fromkeys(positions, now)
        self._count()

    def read(self, statistics: Mapping[str, Any], assigned: Set[Place]) -> None:
        """Take a statistics report of the client. `assigned`: the partitions that count."""
        for topic, each in statistics["topics"].items():
            for part in each["partitions"].values():
                place = topic, part["partition"]
                if place in assigned and part["hi_offset"] >= 0:
                    self._ends[place] = part["hi_offset"]
                    self._done[place] = max(self._done.get(place, 0), part["lo_offset"])
        self._count()

    def stalled(self) -> list[str]:
        """The partitions, as TOPIC/NUMBER, that have events and moved no further for two minutes."""
        oldest = time.monotonic() - STALLED_SECONDS
        return [
            f"{topic}/{number}"
            for (topic, number), at in sorted(self._moved_at.items())
            if at < oldest and self._behind((topic, number)) > 0
        ]

    def _count(self) -> None:
        now, lag = time.monotonic(), 0
        for place in list(self._ends):
            behind = self._behind(place)
            lag += behind
            if not behind:
                self._moved_at[place] = now
        self.lag = lag

    def _behind(self, place: Place) -> int:
        return max(0, self._ends.get(place, 0) - self._done.get(place, 0))
