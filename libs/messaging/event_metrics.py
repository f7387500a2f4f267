"""What became of consumed events, as metrics: handled, tried again, dead-lettered, by topic and class of the reason."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol

from prometheus_client import Counter

Outcome = Literal["handled", "retried", "dead"]

HANDLED = Counter("consumer_handled_total", "Events that were handled", ["topic"])
RETRIES = Counter("consumer_retries_total", "Attempts that failed and are repeated", ["topic", "reason"])
DEAD_LETTERS = Counter("consumer_dead_letters_total", "Dead letters that were written", ["topic", "reason"])

RETRY_REASONS = ("unavailable", "failed", "conflict", "limit")
"""A server was unavailable, the handler failed, or a batch met another writer or a time limit."""
DEAD_REASONS = ("malformed", "refused", "failed")
"""The event can't be read, the handler refuses it, or it failed too often."""


def declare(topics: Iterable[str]) -> None:
    """Begin the counters of these topics at 0. So the first dead letter is an increase, which an alert sees."""
    for topic in topics:
        HANDLED.labels(topic)
        for reason in RETRY_REASONS:
            RETRIES.labels(topic, reason)
        for reason in DEAD_REASONS:
            DEAD_LETTERS.labels(topic, reason)


def count(topic: str, outcome: Outcome, reason: str = "") -> None:
    """Count an event of a topic that this process consumes. `reason`: of RETRY_REASONS or DEAD_REASONS."""
    if outcome == "handled":
        HANDLED.labels(topic).inc()
    else:
        (RETRIES if outcome == "retried" else DEAD_LETTERS).labels(topic, reason).inc()


class HasTopic(Protocol):
    """An event in flight."""

    @property
    def topic(self) -> str: ...


def count_retries(events: Iterable[HasTopic], reason: str) -> None:
    """Count the events of a batch that is tried again."""
    for event in events:
        count(event.topic, "retried", reason)


def unfetched(part: Mapping[str, Any]) -> int:
    """The events of a partition that the member has not fetched yet. `part`: from the client's statistics.

    An offset is committed up to a second after its event is done. So the lag of a member that keeps up is seldom 0.
    """
    position: int = part["app_offset"]  # negative until the first event
    waiting: int = part["hi_offset"] - position if position >= 0 else part["consumer_lag"]
    return max(0, waiting)


class LagClock:
    """How long the group's member has been behind. Kafka reports the lag in events alone."""

    def __init__(self) -> None:
        self._behind_since: float | None = None

    def note(self, waiting: int) -> None:
        """How many events the member has not fetched yet: the sum of `unfetched`."""
        self._behind_since = (self._behind_since or time.monotonic()) if waiting else None

    def seconds(self, oldest: int | None) -> float:
        """The age of the oldest event that is not handled. `oldest`: of the fetched ones, its time in ms since the epoch.

        While none is fetched it is the time since all were fetched.
        """
        if oldest is not None:
            return round(max(0.0, time.time() - oldest / 1000), 1)
        return round(time.monotonic() - self._behind_since, 1) if self._behind_since else 0.0
