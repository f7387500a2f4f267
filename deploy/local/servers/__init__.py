"""The servers behind the shop: how each is prepared, started and asked whether it is ready.

The same code serves `make up` and the tests, so that what is tested is what runs.
"""

from __future__ import annotations

from typing import Protocol

from deploy.local.process import Process


class Server(Protocol):
    """What the stack needs to know about a server."""

    @property
    def name(self) -> str:
        """The process name, as in run/NAME.pid."""

    @property
    def ports(self) -> dict[str, int]:
        """The ports it listens on, by the variable that moves them."""

    def prepare(self) -> None:
        """Make the data directory when there is none, and write its settings. May take seconds the first time."""

    def process(self) -> Process:
        """The command that runs it."""

    def check(self) -> None:
        """Raise NotReady until it does real work."""
