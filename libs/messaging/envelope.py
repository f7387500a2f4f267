"""The event envelope: CloudEvents 1.0 in Kafka headers (binary mode), the data alone in the value.

A service declares its events as `EventData` subclasses. `new_row` makes the outbox row of an event to publish. `parse` reads an
event from Kafka. Its input is untrusted: it raises MalformedEvent for every fault, and the consumer dead-letters the event.
"""

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, TypeVar

import orjson
from confluent_kafka import Message
from pydantic import AwareDatetime, ConfigDict, TypeAdapter, ValidationError
from ulid import ULID

from libs.runtime import trace_context
from libs.runtime.trace_context import TRACEPARENT, TraceContext
from libs.values.schema import StrictModel
from libs.values.times import require_in_range, rfc3339

MAX_PAYLOAD_BYTES = 64 * 1024
TIME: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


class MalformedEvent(Exception):
    """An event that can never be handled. The dead letter keeps the text, so the text holds no value of the event."""


class EventData(StrictModel):
    """Data of an event that a service publishes. `topic` is its type and its Kafka topic."""

    topic: ClassVar[str]


class ConsumedData(EventData):
    """A service's own view of an event that it consumes: the fields that it needs. Other fields are ignored."""

    model_config = ConfigDict(extra="ignore")


D = TypeVar("D", bound=EventData)


@dataclass(frozen=True)
class OutboxRow:
    """A pending event, stored in the transaction of the change that it reports."""

    event_id: str  # ULID, 26 characters
    topic: str
    aggregate_id: str  # the Kafka key
    sequence: int  # the aggregate's own counter, from 1
    payload: str  # JSON
    headers: str  # JSON object of the CloudEvents headers and the trace
    created_at: datetime


@dataclass(frozen=True)
class Event:
    """A well-formed event from Kafka. `read` checks `data` against a model."""

    id: str
    type: str
    subject: str
    sequence: int
    time: str
    data: Mapping[str, object]
    partition: int = 0  # of the Kafka message
    message: Message | None = field(default=None, compare=False, repr=False)  # as it came
    trace: TraceContext | None = field(default=None, compare=False, repr=False)

    def read(self, model: builtins.type[D]) -> D:
        """The data as `model`. Raises MalformedEvent, which names the fields and not their values."""
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            fields = {".".join(map(str, e["loc"])) + ": " + e["type"] for e in error.errors(include_input=False)}
            raise MalformedEvent("data: " + ", ".join(sorted(fields))[:500]) from None

    def require_key(self, key: str) -> None:
        """Raise MalformedEvent unless the message's key is the id that the data names."""
        if self.subject != key:
            raise MalformedEvent("the key is another one")


def new_row(data: EventData, *, source: str, aggregate_id: str, sequence: int) -> OutboxRow:
    """The outbox row of `data`, in the trace of this thread's work. Raises ValueError when the payload is larger than 64 KiB."""
    payload = orjson.dumps(data.model_dump(mode="json", by_alias=True))
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"{data.topic}: payload of {len(payload)} bytes")
    event_id, now = str(ULID()), datetime.now(UTC)
    headers = {"ce_specversion": "1.0", "ce_id": event_id, "ce_type": data.topic, "ce_source": source}
    headers |= {"ce_time": rfc3339(now), "ce_subject": aggregate_id, "ce_sequence": str(sequence)}
    headers |= {"content-type": "application/json", TRACEPARENT: trace_context.current_or_new().traceparent}
    return OutboxRow(
        event_id, data.topic, aggregate_id, sequence, payload.decode(), orjson.dumps(headers).decode(), now
    )


def new_rows(events: Sequence[EventData], *, source: str, aggregate_id: str, first_sequence: int) -> list[OutboxRow]:
    """The outbox rows of an aggregate's `events`, numbered from `first_sequence`. Raises ValueError as `new_row` does."""
    numbered = enumerate(events, start=first_sequence)
    return [new_row(event, source=source, aggregate_id=aggregate_id, sequence=number) for number, event in numbered]


def headers_of(message: Message) -> list[tuple[str, bytes | None]]:
    """The headers of a message from Kafka, in their sequence."""
    headers: list[tuple[str, bytes | None]] = list(message.headers() or [])  # type: ignore[arg-type] # the stub allows a dict
    return headers


def trace_of(event_id: str, sent: str) -> TraceContext:
    """The context that an event came with in its header `sent`. Without one, the event's id is the id of its trace.

    So all consumers of an event of an earlier version agree. An id that is no ULID begins a new trace.
    """
    if came := trace_context.parse(sent):
        return came
    try:
        digits = ULID.from_str(event_id).hex
    except ValueError:
        return trace_context.new()
    return trace_context.parse(f"00-{digits}-{digits[:16]}-00") or trace_context.new()


def _require_time(text: str) -> None:
    """Raise MalformedEvent unless `ce_time` is absent or an RFC 3339 time that can be converted to UTC."""
    if not text:
        return
    try:
        require_in_range(TIME.validate_python(text))
    except ValueError:
        raise MalformedEvent("ce_time is not a time, or out of range") from None


def parse(message: Message) -> Event:
    """The event in a Kafka message. Raises MalformedEvent."""
    try:
        headers = {name: (value or b"").decode() for name, value in headers_of(message)}
        event_id = str(ULID.from_str(headers.get("ce_id", "")))
        sequence = int(headers.get("ce_sequence", "0"))
        key, data = (message.key() or b"").decode(), orjson.loads(message.value() or b"")
    except ValueError:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise MalformedEvent("headers, key or value can't be read, or ce_id is no ULID") from None
    if headers.get("ce_specversion") != "1.0" or headers.get("ce_type") != message.topic():
        raise MalformedEvent("ce_specversion is not 1.0, or ce_type is not the topic")
    if not key or not isinstance(data, dict):
        raise MalformedEvent("no key, or the value is not an object")
    event_type, time, partition = headers["ce_type"], headers.get("ce_time", ""), message.partition() or 0
    _require_time(time)
    trace = trace_of(event_id, headers.get(TRACEPARENT, ""))
    return Event(event_id, event_type, key, sequence, time, data, partition, message, trace)
