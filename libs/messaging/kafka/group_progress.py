"""How far a consumer group has come: until which moment it has handled every event of its topics."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import datetime

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.clients import make_consumer
from libs.messaging.kafka.topics import ADMIN_SECONDS

Ends = Mapping[str, int]
"""`{"topic/partition": offset of the next event}` of the partitions that hold an event."""


class GroupOffsets:
    """Reads the ends of a group's topics and its commits. Its one client is made on first use, and never joins the group."""

    def __init__(self, brokers: Brokers, group: str, topics: Iterable[str]) -> None:
        self._brokers, self._group, self._topics = brokers, group, tuple(topics)
        self._client: Consumer | None = None

    def ends(self) -> Ends:
        """The present ends. Raises KafkaException when the broker is unavailable, or a topic does not exist."""
        known = self._kept().list_topics(timeout=ADMIN_SECONDS).topics
        ends = {}
        for topic in self._topics:
            if topic not in known:  # deleted with its events: nothing is known about them
                raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))
            for number in known[topic].partitions:
                low, high = self._range(TopicPartition(topic, number))
                if high > low:
                    ends[f"{topic}/{number}"] = high
        return ends

    def are_past(self, ends: Ends) -> bool:
        """True when the group has committed past each of the ends, or the events before it are deleted.

        A partition without a commit has a negative offset. Raises KafkaException when the broker is unavailable.
        """
        if not ends:
            return True
        names = [name.rpartition("/") for name in ends]
        partitions = [TopicPartition(topic, int(number)) for topic, _, number in names]
        for committed in self._kept().committed(partitions, timeout=ADMIN_SECONDS):
            end = ends[f"{committed.topic}/{committed.partition}"]
            if committed.error is not None:
                return False
            if committed.offset < end and self._range(committed)[0] < end:  # else their retention has ended
                return False
        return True

    def close(self) -> None:
        """Close the client, if there is one. The next use makes another."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _kept(self) -> Consumer:
        if self._client is None:
            self._client = make_consumer(self._brokers, self._group, **{"statistics.interval.ms": 0})
        self._client.consume(1000, 0)  # takes the errors that the client has queued: it gets no events
        return self._client

    def _range(self, partition: TopicPartition) -> tuple[int, int]:
        place = TopicPartition(partition.topic, partition.partition)
        low, high = self._kept().get_watermark_offsets(place, timeout=ADMIN_SECONDS)
        return int(low), int(high)


class GroupProgress:
    """Remembers the ends of the topics at a moment, and waits until the group has committed past them."""

    def __init__(self, brokers: Brokers, group: str, topics: Iterable[str], now: Callable[[], datetime]) -> None:
        """`now` gives the time, by the clock that the caller compares with."""
        self._offsets, self._now = GroupOffsets(brokers, group, topics), now
        self._handled: datetime | None = None
        self._awaited: tuple[datetime, Ends] | None = None

    def handled_until(self) -> datetime | None:
        """The last known moment before which the group has handled all events; None when there is none yet.

        Each call asks the broker, and moves the moment forward when the group has progressed. Raises KafkaException when the
        broker is unavailable.
        """
        if self._awaited and self._offsets.are_past(self._awaited[1]):
            self._handled, self._awaited = self._awaited[0], None
        if not self._awaited:
            moment = self._now()
            self._awaited = moment, self._offsets.ends()
        return self._handled

    def close(self) -> None:
        """Close the client. The next call makes another."""
        self._offsets.close()


def has_handled_all(brokers: Brokers, group: str, topics: Iterable[str]) -> bool:
    """Whether the group has handled all events that are in the topics now. Raises KafkaException when no broker answers."""
    with closing(GroupOffsets(brokers, group, topics)) as offsets:
        return offsets.are_past(offsets.ends())
