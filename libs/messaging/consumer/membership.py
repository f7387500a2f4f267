"""Whether a client is a member of its consumer group, by librdkafka's statistics.

librdkafka 2.16 can stay without its group for ever after a broker was frozen for longer than the controller waits for it, and no
error is raised. There are two such states. In one, requests to the coordinator time out in the client's own queue. In the other
one, the client has no connection and makes none (docs/adr/0067).
"""

from collections.abc import Callable, Mapping
from typing import Any

REJOIN_SECONDS = 40.0
"""Longer than a rebalance: 10 s for a silent member's session, and 20 s for the handlers that end."""
RECONNECT_SECONDS = 20.0
"""Longer than a working client takes to connect: 12 s at most, measured. It asks for the brokers every 10 s."""
QUESTION_SECONDS = 5.0  # between two questions


class NotRejoined(Exception):
    """Raised when a client does not rejoin its group although a broker answers. Only a new client helps."""


class Membership:
    """Give it each statistics report, and call `check` in each turn of the loop."""

    def __init__(self, broker_answers: Callable[[], bool]) -> None:
        """`broker_answers` asks with a client of its own. It is called while this one has neither its group nor a connection."""
        self._broker_answers = broker_answers
        self._at, self._asked_at, self._is_cut_off = 0.0, 0.0, False
        self._missing_since: float | None = None
        self._answered_since: float | None = None

    def read(self, statistics: Mapping[str, Any]) -> None:
        """Take a report. While no broker answers, the time does not count."""
        self._at = statistics["ts"] / 1e6
        group = statistics.get("cgrp", {})
        is_member = group.get("state") == "up" and group.get("join_state") == "steady"
        is_connected = any(b["state"] == "UP" and b["nodeid"] >= 0 for b in statistics["brokers"].values())
        if is_member or not is_connected:
            self._missing_since = None
        elif self._missing_since is None:
            self._missing_since = self._at
        self._is_cut_off = not is_member and not is_connected
        if not self._is_cut_off:
            self._answered_since = None

    def check(self) -> None:
        """Raise NotRejoined when the client has had no group for REJOIN_SECONDS, or no connection for RECONNECT_SECONDS."""
        if self._missing_since is not None and (seconds := self._at - self._missing_since) > REJOIN_SECONDS:
            raise NotRejoined(f"not a member of the group for {seconds:.0f} s, and a broker answers")
        if self._is_cut_off and self._at - self._asked_at >= QUESTION_SECONDS:
            self._ask()
        if self._answered_since is not None and (seconds := self._at - self._answered_since) > RECONNECT_SECONDS:
            raise NotRejoined(f"not a member of the group: no connection for {seconds:.0f} s, and a broker answers")

    def _ask(self) -> None:
        self._asked_at = self._at
        if not self._broker_answers():
            self._answered_since = None
        elif self._answered_since is None:
            self._answered_since = self._at
