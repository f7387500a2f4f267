"""Dead letters: events that a consumer group could not handle."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from confluent_kafka import OFFSET_BEGINNING, KafkaError, Message, TopicPartition

from libs.messaging.clients import READER, make_consumer
from libs.messaging.topics import dead_letter_topic

READ_SECONDS = 10.0


@dataclass(frozen=True)
class DeadLetter:
    """One dead letter; read as a message it is the original, on its original topic."""

    message: Message
    origin: str

    @property
    def id(self) -> str:
        return f"{self.message.topic()}/{self.message.partition()}/{self.message.offset()}"

    @property
    def headers_text(self) -> dict[str, str]:
        """Its headers, the original's and the dead letter's own."""
        pairs: list[tuple[str, bytes | None]] = list(self.message.headers() or [])  # type: ignore[arg-type] # never a dict
        return {name: (value or b"").decode(errors="replace") for name, value in pairs}

    def topic(self) -> str:
        return self.origin

    def __getattr__(self, name: str) -> Any:
        return getattr(self.message, name)


def read_dead_letters(brokers: str, group: str, topics: list[str]) -> Iterator[DeadLetter]:
    """All dead letters of `group`, topic by topic. Raises TimeoutError when the broker does not answer within 10 s."""
    consumer = make_consumer(brokers, f"dlq-{uuid4().hex}", **READER)
    try:
        for origin in topics:
            name = dead_letter_topic(origin, group)
            found = consumer.list_topics(name, timeout=READ_SECONDS).topics[name].partitions
            open_ends = set(found)
            consumer.assign([TopicPartition(name, p, OFFSET_BEGINNING) for p in found])
            while open_ends:
                if (message := consumer.poll(READ_SECONDS)) is None:
                    raise TimeoutError(f"{name} can't be read")
                if not (error := message.error()):
                    yield DeadLetter(message, origin)
                elif error.code() == KafkaError._PARTITION_EOF:
                    open_ends.discard(message.partition() or 0)
    finally:
        consumer.close()
