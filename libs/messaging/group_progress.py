"""How far a consumer group has come: until which moment it has handled every event of its topics."""

from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import datetime

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from libs.messaging.brokers import Brokers
from libs.messaging.clients import make_consumer
from libs.messaging.topics import ADMIN_SECONDS


class GroupProgress:
    """Remembers the ends of the topics at a moment, and waits until the group has committed past them."""

    def __init__(self, brokers: Brokers, group: str, topics: Iterable[str], now: Callable[[], datetime]) -> None:
        """`now` gives the time, by the clock that the caller compares with."""
        self._brokers, self._group, self._topics, self._now = brokers, group, tuple(topics), now
        self._handled: datetime | None = None
        self._awaited: tuple[datetime, list[TopicPartition]] | None = None

    def handled_until(self) -> datetime | None:
        """The last known moment before which the group has handled all events; None when there is none yet.

        Each call asks the broker, and moves the moment forward when the group has progressed. Raises KafkaException when the
        broker is unavailable. The client joins no group: it never subscribes.
        """
        with closing(make_consumer(self._brokers, self._group)) as client:
            if self._awaited and _has_committed(client, self._awaited[1]):
                self._handled, self._awaited = self._awaited[0], None
            if not self._awaited:
                moment = self._now()
                self._awaited = moment, _ends(client, self._topics)
        return self._handled


def has_handled_all(brokers: Brokers, group: str, topics: Iterable[str]) -> bool:
    """Whether the group has handled all events that are in the topics now. Raises KafkaException when no broker answers."""
    with closing(make_consumer(brokers, group)) as client:
        return _has_committed(client, _ends(client, topics))


def _ends(client: Consumer, topics: Iterable[str]) -> list[TopicPartition]:
    """The end of each partition that holds an event."""
    known = client.list_topics(timeout=ADMIN_SECONDS).topics
    ends = []
    for topic in topics:
        if topic not in known:  # deleted with its events: nothing is known about them
            raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))
        for number in known[topic].partitions:
            low, high = client.get_watermark_offsets(TopicPartition(topic, number), timeout=ADMIN_SECONDS)
            if high > low:
                ends.append(TopicPartition(topic, number, high))
    return ends


def _has_committed(client: Consumer, ends: list[TopicPartition]) -> bool:
    """True when the group has committed past each of the ends, or the events before it are deleted.

    A partition without a commit has a negative offset.
    """
    if not ends:
        return True
    wanted = [TopicPartition(end.topic, end.partition) for end in ends]
    found = {(p.topic, p.partition): p for p in client.committed(wanted, timeout=ADMIN_SECONDS)}
    for end in ends:
        committed = found[end.topic, end.partition]
        low, _ = client.get_watermark_offsets(TopicPartition(end.topic, end.partition), timeout=ADMIN_SECONDS)
        if committed.error is not None or max(committed.offset, low) < end.offset:  # `low`: their retention has ended
            return False
    return True
