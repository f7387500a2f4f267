"""A batch: the well-formed events that wait, in the sequence in which they came. Their effect is stored in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from libs.messaging.envelope import Event, MalformedEvent
from libs.messaging.failures import PermanentFailure
from libs.messaging.handlers import Handler
from libs.messaging.tracing import continuing

MAX_EVENTS = 100
MAX_WEIGHT = 500
MAX_BYTES = 1024 * 1024
FEW_EVENTS = 5

BatchHandler = Callable[[Sequence[Event]], Mapping[str, str]]
"""Handles events. Returns why it refuses some, by event id. All the others are done, and stored."""
Weigh = Callable[[Event], int]
"""The part of MAX_WEIGHT that an event takes: what it writes, in rows. An event of MAX_WEIGHT is a batch alone."""

T = TypeVar("T")


def weigh_one(_event: Event) -> int:
    """The weight of an event that writes one row."""
    return 1


def weigh_full(_event: Event) -> int:
    """The weight of an event that is a batch alone."""
    return MAX_WEIGHT


def read_each(events: Sequence[Event], read: Callable[[Event], T]) -> tuple[list[tuple[Event, T]], dict[str, str]]:
    """(each event with what `read` makes of it, the reasons of those for which it raises MalformedEvent or PermanentFailure)."""
    known: list[tuple[Event, T]] = []
    refused: dict[str, str] = {}
    for event in events:
        try:
            known.append((event, read(event)))
        except (MalformedEvent, PermanentFailure) as error:
            refused[event.id] = str(error) or type(error).__name__
    return known, refused


def waking(handle: BatchHandler, wake: Callable[[], None]) -> BatchHandler:
    """`handle`, which stores events, and then `wake` of the relay in this process. A larger batch is found by the relay itself.

    So an order that comes alone does not wait for the relay. Under load the relay keeps its pace, and publishes many at once.
    """

    def handle_and_wake(events: Sequence[Event]) -> Mapping[str, str]:
        refused = handle(events)
        if len(events) <= FEW_EVENTS:
            wake()
        return refused

    return handle_and_wake


def in_turn(handlers: Mapping[str, Handler]) -> BatchHandler:
    """A handler of batches that calls the handler of each event's topic, one event after the other, each in its trace."""

    def handle_one(event: Event) -> None:
        with continuing(event):
            handlers[event.type](event)

    def handle(events: Sequence[Event]) -> Mapping[str, str]:
        return read_each(events, handle_one)[1]

    return handle


def one_at_a_time(handle: BatchHandler) -> Handler:
    """A handler of single events: each is a batch of one. Raises PermanentFailure for one that is refused."""

    def handle_one(event: Event) -> None:
        for reason in handle([event]).values():
            raise PermanentFailure(reason)

    return handle_one
