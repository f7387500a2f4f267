"""Follows whole topics, with the partitions that they get while it runs. It joins no consumer group."""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import TypeVar

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, Message, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # its types leave out OffsetSpec

from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.clients import Settings, make_admin
from libs.messaging.kafka.topic_reader import TopicReader
from libs.messaging.kafka.topics import ADMIN_SECONDS
from libs.runtime.logs import get_logger

log = get_logger(__name__)

LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]
GROWTH_SECONDS = 10.0  # between two searches for new partitions

T = TypeVar("T")
Place = tuple[str, int]
"""A topic and the number of a partition."""


class TopicOffsets:
    """Where the partitions of topics begin and end.

    It has a client of its own. Measured: `list_topics` of a client whose messages another thread takes may hang.
    Each method raises KafkaException when no broker answers within 10 s.
    """

    def __init__(self, brokers: Brokers) -> None:
        self._brokers, self._client = brokers, list[AdminClient]()

    def places(self, *topics: str) -> list[Place]:
        """The partitions that the topics have now. Raises KafkaException for a topic that does not exist."""
        known = self._admin().list_topics(timeout=ADMIN_SECONDS).topics
        if missing := set(topics) - known.keys():
            raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, f"no topic {min(missing)}"))
        return [(topic, number) for topic in topics for number in sorted(known[topic].partitions)]

    def ends(self, *topics: str) -> dict[Place, int]:
        """The offset of the next message of each partition."""
        return {place: offset for place, (offset, _) in self._find(self.places(*topics), LATEST).items()}

    def first_since(self, since: int, *topics: str) -> dict[Place, tuple[int, int]]:
        """Of each partition: the offset and the time of its first message of `since` or later, in ms since the epoch.

        A partition without such a message has its end, and the time -1.
        """
        places = self.places(*topics)
        found = self._find(places, OffsetSpec.for_timestamp(since))
        if all(offset >= 0 for offset, _ in found.values()):
            return found
        ends = self._find(places, LATEST)
        return {place: (offset, at) if offset >= 0 else (ends[place][0], -1) for place, (offset, at) in found.items()}

    def topic_id(self, topic: str) -> str:
        """The id of a topic. A topic that is deleted and made again has another one."""
        description = self._admin().describe_topics(TopicCollection([topic]), request_timeout=ADMIN_SECONDS)[topic]
        return str(_await(description).topic_id)

    def _find(self, places: Iterable[Place], spec: OffsetSpec) -> dict[Place, tuple[int, int]]:
        if not (wanted := {TopicPartition(*place): spec for place in places}):
            return {}
        answers = self._admin().list_offsets(wanted, request_timeout=ADMIN_SECONDS)
        found = {(place.topic, place.partition): _await(answer) for place, answer in answers.items()}
        return {place: (answer.offset, answer.timestamp) for place, answer in found.items()}

    def _admin(self) -> AdminClient:
        if not self._client:  # made on first use, because a client does not survive a fork
            self._client.append(make_admin(self._brokers))
        return self._client[0]


def _await(answer: Future[T]) -> T:
    try:
        return answer.result(ADMIN_SECONDS)
    except TimeoutError:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "no broker answers")) from None


class TopicFollower:
    """Reads topics from `starts` on. Close it after use."""

    def __init__(
        self,
        brokers: Brokers,
        name: str,
        topics: Iterable[str],
        *,
        starts: Mapping[Place, int] | None = None,
        settings: Settings | None = None,
    ) -> None:
        """`starts`: the first offset of partitions; the others are read from their beginning. `settings`: of Kafka's client.

        Raises KafkaException when no broker answers within 10 s.
        """
        self._topics, self._offsets = tuple(topics), TopicOffsets(brokers)
        starts = starts or {}
        self._places = set(self._offsets.places(*self._topics))
        first = [TopicPartition(*place, starts.get(place, OFFSET_BEGINNING)) for place in sorted(self._places)]
        self._reader, self._looked_at = TopicReader(brokers, name, first, **(settings or {})), time.monotonic()
        self._next: dict[Place, int] = {}

    @property
    def at_end(self) -> bool:
        """True once each partition has been read to the end that it had then."""
        return self._reader.at_end

    def has_read(self, ends: Mapping[Place, int]) -> bool:
        """True when every message before `ends` was returned by `read`, or does not exist any more."""
        reached = {place: max(self._next.get(place, 0), self._reader.ends.get(place, 0)) for place in ends}
        return all(reached[place] >= end for place, end in ends.items())

    def read(self, seconds: float = 0.2) -> list[Message]:
        """The next messages. Waits up to `seconds` for the first. Raises KafkaException on a fatal error."""
        if time.monotonic() - self._looked_at > GROWTH_SECONDS:
            self._look_for_growth()
        messages = self._reader.read(seconds)
        for message in messages:
            self._next[str(message.topic()), message.partition() or 0] = (message.offset() or 0) + 1
        return messages

    def close(self) -> None:
        """Close the client."""
        self._reader.close()

    def _look_for_growth(self) -> None:
        self._looked_at = time.monotonic()
        try:
            new = set(self._offsets.places(*self._topics)) - self._places
        except KafkaException as error:
            log.warning("Kafka unavailable, no new partitions looked for", error=error.args[0].name())
            return
        if new:
            self._places |= new
            self._reader.add([TopicPartition(*place, OFFSET_BEGINNING) for place in sorted(new)])
            log.info("new partitions are read", topics=sorted({topic for topic, _ in new}), count=len(new))
