"""When this process last heard from the coordinator of its consumer group, by librdkafka's own statistics.

While a member hears from the coordinator, the group gives its partitions to no other member for a whole session. The age of
the last poll shows nothing: polls go on while the heartbeats fail.
"""

import math
import time
from collections.abc import Mapping
from typing import Any

SESSION_SECONDS = 10.0  # session.timeout.ms of libs.messaging.kafka.clients
STATISTICS_MS, HEARTBEAT_MS = 500, 1000  # so the age of a contact is 2 s at most while nothing is wrong
GAP_SECONDS = 2.0
SETTLE_SECONDS = 0.25
COORDINATOR = "GroupCoordinator"


class GroupContact:
    """Give it each statistics report. It takes a contact as one when the report after it still says that the group is steady."""

    def __init__(self) -> None:
        self._at, self._candidate, self._newest = -math.inf, -math.inf, -math.inf
        self._not_before, self._suspended = -math.inf, 0.0

    def forget(self) -> None:
        """Count nothing before now: the group has given partitions anew."""
        self._at = self._candidate = -math.inf
        self._not_before = time.monotonic()

    def read(self, statistics: Mapping[str, Any]) -> None:
        """Take a report. Its times are microseconds of time.monotonic()."""
        at = statistics["ts"] / 1e6
        if GAP_SECONDS < at - self._newest < math.inf:  # frozen: an answer may have waited in the socket since then
            self._not_before, self._candidate = max(self._not_before, at + SETTLE_SECONDS), -math.inf
        self._newest = at
        if statistics.get("cgrp", {}).get("join_state") != "steady":
            self._candidate = -math.inf
            return
        if self._candidate > self._at:
            self._at, self._suspended = self._candidate, _suspended_seconds()
        coordinator = statistics["brokers"].get(COORDINATOR, {"rxidle": -1})
        heard = at - coordinator["rxidle"] / 1e6 if coordinator["rxidle"] >= 0 else -math.inf
        self._candidate = heard if heard > self._not_before else -math.inf

    def age(self) -> float:
        """The seconds since the last contact. Infinite when there was none, or when the machine was suspended since then."""
        if _suspended_seconds() - self._suspended > 1.0:
            return math.inf
        return time.monotonic() - self._at


def _suspended_seconds() -> float:
    """For how long the machine was suspended since its start."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
