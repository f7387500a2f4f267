"""The event envelope: CloudEvents 1.0 in Kafka headers (binary mode), the data alone in the value.

A service declares its events as `EventData` subclasses. `new_row` makes the outbox row of an event to publish. `parse` reads an
event from Kafka. Its input is untrusted: it raises MalformedEvent for every fault, and the consumer dead-letters the event.

A later version may send values, fields and headers that this one does not know. docs/events.md has the rules.
"""

import builtins
import gc
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import methodcaller
from typing import Any, ClassVar, TypeVar

import orjson
from confluent_kafka import Message
from pydantic import AwareDatetime, ConfigDict, TypeAdapter, ValidationError
from ulid import ULID

from libs.runtime.telemetry import trace_context
from libs.runtime.telemetry.trace_context import TRACEPARENT, TraceContext
from libs.values.schema import StrictModel
from libs.values.times import require_in_range, rfc3339

MAX_PAYLOAD_BYTES = 64 * 1024
MAX_SEQUENCE_DIGITS = 18  # fewer than 64 bits: libraries for JSON take no more
NEEDED_HEADERS = frozenset({"ce_specversion", "ce_id", "ce_type", "ce_time", "ce_sequence"})
"""The headers that are read. Others may hold any bytes."""
NO_VALUE = "the event has no value"
UNKNOWN_VALUES = frozenset({"literal_error", "enum"})
"""pydantic's errors for a value that an enumerated field does not know."""
READ_HEADERS: Callable[[Message], Any] = methodcaller("headers")
"""A call from C. Python 3.11 leaves out its own check of results where Python code has called a method of C many times: then the
error of a name that can't be decoded is not raised."""
TIME: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


class MalformedEvent(Exception):
    """An event that can never be handled. The dead letter keeps the text, so the text holds no value of the event."""


class EventData(StrictModel):
    """Data of an event that a service publishes. `topic` is its type and its Kafka topic."""

    topic: ClassVar[str]


class ConsumedData(EventData):
    """A service's own view of an event that it consumes: the fields that it needs. Other fields are ignored."""

    model_config = ConfigDict(extra="ignore")


class NoValue(Mapping[str, object]):
    """The data of a tombstone. Every look at it raises MalformedEvent."""

    def __getitem__(self, name: str) -> object:
        raise MalformedEvent(NO_VALUE)

    def __iter__(self) -> Iterator[str]:
        raise MalformedEvent(NO_VALUE)

    def __len__(self) -> int:
        raise MalformedEvent(NO_VALUE)


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
    """A well-formed event from Kafka. `read` checks `data` against a model.

    A tombstone has a key and no value, and may have no headers. On a compacted topic it says that the key's record was removed.
    """

    id: str
    type: str
    subject: str
    sequence: int
    time: str
    data: Mapping[str, object]
    partition: int = 0  # of the Kafka message
    message: Message | None = field(default=None, compare=False, repr=False)  # as it came
    is_tombstone: bool = False
    trace: TraceContext | None = field(default=None, compare=False, repr=False)

    @property
    def traceparent(self) -> str:
        """Its trace as a header, for the events that follow from it; empty without one."""
        return self.trace.traceparent if self.trace else ""

    def read(self, model: builtins.type[D]) -> D:
        """The data as `model`. Raises MalformedEvent, which names the fields and not their values.

        Its text begins with `unknown value` when nothing else is wrong: the event may be one of a later version.
        """
        self.require_value()
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            raise _malformed(error) from None

    def require_value(self) -> None:
        """Raise MalformedEvent for a tombstone."""
        if self.is_tombstone:
            raise MalformedEvent(NO_VALUE)

    def require_key(self, key: str) -> None:
        """Raise MalformedEvent unless the message's key is the id that the data names."""
        if self.subject != key:
            raise MalformedEvent("the key is another one")


def _malformed(error: ValidationError) -> MalformedEvent:
    found = {(".".join(map(str, e["loc"])), e["type"]) for e in error.errors(include_input=False)}
    if {kind for _, kind in found} <= UNKNOWN_VALUES:
        return MalformedEvent("unknown value: " + ", ".join(sorted(name for name, _ in found))[:500])
    return MalformedEvent("data: " + ", ".join(sorted(f"{name}: {kind}" for name, kind in found))[:500])


def new_row(
    data: EventData,
    *,
    source: str,
    aggregate_id: str,
    sequence: int,
    event_id: str | None = None,
    traceparent: str = "",
    at: datetime | None = None,
) -> OutboxRow:
    """The outbox row of `data`. `event_id`: that of an event that was published before; None: a new one.

    `at`: the time of the event, for consumers that compare it with times of another clock. None: now, by the clock of the host.
    `traceparent`: the trace of the event that it follows, in a batch of several. Empty: the trace of this thread's work.
    Raises ValueError when the payload is larger than 64 KiB.
    """
    payload = orjson.dumps(data.model_dump(mode="json", by_alias=True))
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"{data.topic}: payload of {len(payload)} bytes")
    event_id, now = event_id or str(ULID()), datetime.now(UTC)
    headers = {"ce_specversion": "1.0", "ce_id": event_id, "ce_type": data.topic, "ce_source": source}
    headers |= {"ce_time": rfc3339(at or now), "ce_subject": aggregate_id, "ce_sequence": str(sequence)}
    headers |= {
        "content-type": "application/json",
        TRACEPARENT: traceparent or trace_context.current_or_new().traceparent,
    }
    return OutboxRow(
        event_id, data.topic, aggregate_id, sequence, payload.decode(), orjson.dumps(headers).decode(), now
    )


def repeatable_id(moment: datetime, *what: str) -> str:
    """The id of an event that a command publishes: the same one each time, from what the event says and when it happened."""
    digest = hashlib.sha256("\0".join(what).encode()).digest()
    return str(ULID.from_bytes(int(moment.timestamp() * 1000).to_bytes(6, "big") + digest[:10]))


def new_rows(
    events: Sequence[EventData], *, source: str, aggregate_id: str, first_sequence: int, at: datetime | None = None
) -> list[OutboxRow]:
    """The outbox rows of an aggregate's `events`, numbered from `first_sequence`. `at` and errors as for `new_row`."""
    numbered = enumerate(events, start=first_sequence)
    return [
        new_row(event, source=source, aggregate_id=aggregate_id, sequence=number, at=at) for number, event in numbered
    ]


def headers_of(message: Message) -> list[tuple[str, bytes | None]]:
    """The headers of a message from Kafka, in their sequence. Those whose names are not UTF-8 are left out, for good."""
    try:
        headers = READ_HEADERS(message)
    except SystemError:
        # confluent_kafka leaves a hole in the tuple of a name that it can't decode. A look into the hole ends the process, but the
        # garbage collector's view of a tuple passes over holes.
        headers = [header for header in READ_HEADERS(message) or () if len(gc.get_referents(header)) == 2]
        message.set_headers(headers)
    return list(headers or [])


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


def _sequence(text: str) -> int:
    """Raises ValueError for what no aggregate counts to, and for what only Python takes for a number."""
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_SEQUENCE_DIGITS):
        raise ValueError(text)
    return int(text)


def parse(message: Message) -> Event:
    """The event in a Kafka message. Raises MalformedEvent."""
    try:
        if message.value() is None:
            return _tombstone(message)
        sent = dict(headers_of(message))
        headers = {name: (value or b"").decode() for name, value in sent.items() if name in NEEDED_HEADERS}
        event_id = str(ULID.from_str(headers.get("ce_id", "")))
        sequence = _sequence(headers.get("ce_sequence", "0"))
        key, data = (message.key() or b"").decode(), orjson.loads(message.value() or b"")
    except ValueError:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise MalformedEvent("headers, key or value can't be read, or ce_id is no ULID") from None
    if headers.get("ce_specversion") != "1.0" or headers.get("ce_type") != message.topic():
        raise MalformedEvent("ce_specversion is not 1.0, or ce_type is not the topic")
    if not key or not isinstance(data, dict):
        raise MalformedEvent("no key, or the value is not an object")
    event_type, time, partition = headers["ce_type"], headers.get("ce_time", ""), message.partition() or 0
    _require_time(time)
    trace = trace_of(event_id, (sent.get(TRACEPARENT) or b"").decode(errors="replace"))
    return Event(event_id, event_type, key, sequence, time, data, partition, message, trace=trace)


def _tombstone(message: Message) -> Event:
    """Raises ValueError for a key that is no text, and MalformedEvent without a key."""
    if not (key := (message.key() or b"").decode()):
        raise MalformedEvent("no key and no value")
    topic, partition = str(message.topic()), message.partition() or 0
    return Event("", topic, key, 0, "", NoValue(), partition, message, is_tombstone=True)
