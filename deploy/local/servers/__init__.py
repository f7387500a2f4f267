"""The servers of the shop: how each is prepared, started and checked. `make up` and the tests use the same code."""

from typing import Protocol

from deploy.local.supervision.process import Process


class Server(Protocol):
    """One server, as the stack handles it."""

    @property
    def name(self) -> str:
        """The process name, as in run/NAME.pid."""

    @property
    def ports(self) -> dict[str, int]:
        """The ports it listens on, by the variable that moves them."""

    def prepare(self) -> None:
        """Make the data directory when there is none, and write the settings. May take seconds the first time."""

    def process(self) -> Process:
        """The command that runs it."""

    def check(self) -> None:
        """Raise NotReady until it does real work."""
