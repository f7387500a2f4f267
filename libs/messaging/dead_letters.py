"""Dead letters: events that a consumer group could not handle, in a topic of their own for 30 days.

A dead letter has the original's headers, key and value, and further headers: why it failed, when, and where it came from.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import orjson
from confluent_kafka import KafkaError, KafkaException, Message

from libs.messaging.envelope import headers_of
from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.producer import Producer
from libs.messaging.kafka.topic_reader import TopicReader
from libs.messaging.kafka.topics import dead_letter_topic, first_offsets
from libs.runtime.logs import get_logger
from libs.runtime.telemetry.trace_context import TRACEPARENT
from libs.values.times import rfc3339

log = get_logger(__name__)

READ_SECONDS = 10.0

ENVELOPE_HEADERS = ("ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_sequence", "content-type")
"""The headers that a dead letter of an event with secret data keeps."""
TRACE = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
"""A trace's id (W3C Trace Context). It has a fixed form, so it cannot hold a secret, and is kept, too."""
ANY_PARTITION = -1
UNKNOWN_PARTITION = (KafkaError._UNKNOWN_PARTITION, KafkaError.UNKNOWN_TOPIC_OR_PART)

KeptFields = Mapping[str, str]
"""Fields of JSON data, each with a pattern that its whole text has to match."""


def write_dead_letter(
    producer: Producer, group: str, message: Message, *, reason: str, attempts: int, kept: KeptFields | None = None
) -> None:
    """Write the dead letter of an event. `kept`: of an event with secret data, its data are reduced to these fields.

    Raises KafkaException when the broker does not acknowledge it.
    """
    topic, partition = str(message.topic()), message.partition() or 0
    origin = {"topic": topic, "partition": partition, "offset": message.offset()}
    why: dict[str, object] = {"x-reason": reason, "x-attempts": attempts}
    why |= {"x-failed-at": rfc3339(datetime.now(UTC)), "x-origin-ts": message.timestamp()[1]}
    why |= {f"x-origin-{name}": value for name, value in origin.items()}
    value, key, headers = message.value(), message.key(), headers_of(message)
    if kept is not None:
        value, key = _reduce(value or b"", kept), key if _matches(key or b"", kept) else None
        headers = [(name, text) for name, text in headers if _is_harmless(name, text)]
    headers = [*headers, *((name, str(text).encode()) for name, text in why.items())]
    try:
        producer.send(dead_letter_topic(topic, group), value, key, partition=partition, headers=headers)
    except KafkaException as error:  # the topic got more partitions than its dead letters have
        if error.args[0].code() not in UNKNOWN_PARTITION:
            raise
        producer.send(dead_letter_topic(topic, group), value, key, partition=ANY_PARTITION, headers=headers)
    log.error("dead letter written", reason=reason, attempts=attempts, **origin)


def _is_harmless(name: str, text: bytes | None) -> bool:
    return name in ENVELOPE_HEADERS or (name == TRACEPARENT and TRACE.fullmatch(text or b"") is not None)


def _matches(key: bytes, kept: KeptFields) -> bool:
    return any(re.fullmatch(pattern.encode(), key) for pattern in kept.values())


def _reduce(value: bytes, kept: KeptFields) -> bytes:
    """The fields of JSON data that have a text of the expected form. Other data may hold a secret, in any field."""
    try:
        data = orjson.loads(value)
    except ValueError:
        data = None
    fields = data.items() if isinstance(data, dict) else ()
    pairs = ((name, text) for name, text in fields if name in kept and isinstance(text, str))
    return orjson.dumps({name: text for name, text in pairs if re.fullmatch(kept[name], text)})


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter. `id` is its place, TOPIC/PARTITION/OFFSET. `message` has the original's topic, and all headers."""

    id: str
    message: Message

    @property
    def headers_text(self) -> dict[str, str]:
        """Its headers: those of the original, and those of the dead letter."""
        return {name: (value or b"").decode(errors="replace") for name, value in headers_of(self.message)}


def read_dead_letters(brokers: Brokers, group: str, topics: Sequence[str]) -> Iterator[DeadLetter]:
    """All dead letters of `group`, topic by topic. Raises KafkaException when the broker does not answer within 10 s."""
    kept_in = {origin: dead_letter_topic(origin, group) for origin in topics}
    starts = first_offsets(brokers, kept_in.values())
    with closing(TopicReader(brokers, f"{group}-dlq-{uuid4().hex}", ())) as reader:
        for origin, topic in kept_in.items():
            reader.add(starts[topic])
            for message in reader.read_to_end(READ_SECONDS):
                if message.topic() == topic:  # a replay may write to topics that were read before
                    yield _dead_letter(message, origin)


def _dead_letter(found: Message, origin: str) -> DeadLetter:
    headers = dict(headers_of(found))
    original = Message(
        topic=origin,
        partition=int(headers.get("x-origin-partition") or found.partition() or 0),
        offset=int(headers.get("x-origin-offset") or found.offset() or 0),
        key=found.key(),
        value=found.value(),
        headers=[*headers_of(found)],
    )
    return DeadLetter(f"{found.topic()}/{found.partition()}/{found.offset()}", original)
