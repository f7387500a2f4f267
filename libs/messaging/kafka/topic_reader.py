"""Reads topics from their start to their end, and on from there if the caller wishes. It joins no consumer group."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.clients import Settings, make_consumer
from libs.runtime.logs import get_logger

log = get_logger(__name__)

BATCH_SIZE = 1000
POLL_SECONDS = 0.2
LOOKUP_SECONDS = 1.0
SETTINGS: Settings = {
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 20,  # a caller waits for the end
    "statistics.interval.ms": 0,
    "queued.max.messages.kbytes": 4096,  # the default reads 64 MB ahead
}
FOLLOWING: Settings = {"fetch.wait.max.ms": 100}
"""For a reader that goes on after the end. A broker returns a new message at once, and an empty reply this late."""


class TopicReader:
    """One client that reads `partitions`, each from the offset it names. Close it after use."""

    def __init__(self, brokers: Brokers, name: str, partitions: Sequence[TopicPartition], **settings: Any) -> None:
        """`name` is the client's group name; the reader commits nothing under it. `settings` override those of Kafka's client."""
        self._consumer = make_consumer(brokers, name, **(SETTINGS | settings))
        with suppress(KafkaException):  # else the client finds the leaders of each added topic by a timer of one second
            self._consumer.list_topics(timeout=LOOKUP_SECONDS)
        self._consumer.assign(list(partitions))
        self._unread = {(p.topic, p.partition) for p in partitions}
        self.ends: dict[tuple[str, int], int] = {}
        """The end of each partition when it was reached last: the offset of its next message."""

    @property
    def at_end(self) -> bool:
        """True once each partition has been read to the end that it had then."""
        return not self._unread

    def add(self, partitions: Sequence[TopicPartition]) -> None:
        """Read these partitions too, each from the offset it names."""
        self._consumer.incremental_assign(list(partitions))
        self._unread |= {(p.topic, p.partition) for p in partitions}

    def read(self, seconds: float = POLL_SECONDS) -> list[Message]:
        """The next messages, at most BATCH_SIZE. Waits up to `seconds` for the first. Raises KafkaException on a fatal error."""
        first = self._consumer.poll(seconds)
        messages = [] if first is None else [first, *self._consumer.consume(BATCH_SIZE - 1, 0)]
        return [message for message in messages if not self._is_report(message)]

    def read_to_end(self, seconds: float) -> Iterator[Message]:
        """All messages up to the end. Raises KafkaException when the reader waits longer than `seconds` in all."""
        waited = 0.0
        while not self.at_end:
            if waited >= seconds:
                topics = ", ".join(sorted({topic for topic, _ in self._unread}))
                reason = f"{topics} can't be read to the end within {seconds:.0f} s"
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, reason))
            began = time.monotonic()
            messages = self.read()
            waited += time.monotonic() - began
            yield from messages

    def read_at(self, topic: str, partition: int, offset: int, seconds: float) -> Message | None:
        """The first message of a partition from `offset` on. None: there is none within `seconds`.

        It ends the reading of other partitions. Raises KafkaException on a fatal error.
        """
        self._consumer.assign([TopicPartition(topic, partition, offset)])
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            message = self._consumer.poll(left)
            if message is not None and not self._is_report(message):
                return message
        return None

    def close(self) -> None:
        """Close the client."""
        self._consumer.close()

    def _is_report(self, message: Message) -> bool:
        """True for a message of the client itself: the end of a partition, or an error."""
        if (error := message.error()) is None:
            return False
        if error.code() == KafkaError._PARTITION_EOF:
            place = str(message.topic()), message.partition() or 0
            self._unread.discard(place)
            self.ends[place] = message.offset() or 0
        elif error.fatal():
            raise KafkaException(error)
        else:
            log.warning("Kafka client error", error=error.name(), detail=error.str())
        return True
