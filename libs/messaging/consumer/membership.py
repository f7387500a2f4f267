"""Whether a client is a member of its consumer group, by librdkafka's statistics.

librdkafka 2.16 can stay without its group for ever after a broker was frozen for longer than the controller waits for it: requests
to the coordinator time out in the client's own queue, and no error is raised. Seen in chaos/test_r18_nothing_is_oversold.py.
"""

from collections.abc import Mapping
from typing import Any

REJOIN_SECONDS = 40.0
"""Longer than a rebalance: 10 s for a silent member's session, and 20 s for the handlers that end."""


class NotRejoined(Exception):
    """Raised when a client does not rejoin its group although a broker answers. Only a new client helps."""


class Membership:
    """Give it each statistics report."""

    def __init__(self) -> None:
        self._missing_since: float | None = None
        self._missing_for = 0.0

    def read(self, statistics: Mapping[str, Any]) -> None:
        """Take a report. While no broker is connected, the time does not count."""
        at = statistics["ts"] / 1e6
        group = statistics.get("cgrp", {})
        is_member = group.get("state") == "up" and group.get("join_state") == "steady"
        is_connected = any(b["state"] == "UP" and b["nodeid"] >= 0 for b in statistics["brokers"].values())
        if is_member or not is_connected:
            self._missing_since, self._missing_for = None, 0.0
            return
        if self._missing_since is None:
            self._missing_since = at
        self._missing_for = at - self._missing_since

    def check(self) -> None:
        """Raise NotRejoined when the client has not been a member for REJOIN_SECONDS."""
        if self._missing_for > REJOIN_SECONDS:
            raise NotRejoined(f"not a member of the group for {self._missing_for:.0f} s, and a broker answers")
