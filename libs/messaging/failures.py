"""What a handler raises, and what an error of a database driver means."""

from enum import Enum, auto
from typing import Protocol


class ServerUnavailable(Exception):
    """A server that the handler needs does not answer. The text names it."""


class TransientFailure(Exception):
    """This event fails now and may succeed later (a conflict, a limit). The text holds no value of the event."""


class PermanentFailure(Exception):
    """The event can never be handled, by a rule of the handler. The text holds no value of the event."""


class FailureKind(Enum):
    """What an error of a driver means for the events that were handled."""

    UNAVAILABLE = auto()  # the server does not serve now: the same again, later
    CONFLICT = auto()  # another transaction was in the way: fewer events at once
    LIMIT = auto()  # a time limit, or a lost connection: the server is asked whether it answers
    OWN = auto()  # all other errors: one of the events causes it


class Failures(Protocol):
    """What the errors of a database driver mean: one list for each driver."""

    def kind_of(self, error: Exception) -> FailureKind: ...

    def answers(self) -> bool:
        """Whether the server answers a ping on a new connection within a second."""
