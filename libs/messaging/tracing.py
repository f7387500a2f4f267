"""The context in which an event is handled: its trace, and the ids that each log line of the work has.

Enter `handling` around everything that is done for one event, also around its dead letter. Events that are stored inside get its
trace. A handler of several events at once makes each row with the `traceparent` of its event.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from confluent_kafka import Message

from libs.messaging.envelope import Event, headers_of, trace_of
from libs.runtime.logs import get_logger
from libs.runtime.telemetry import spans, trace_context
from libs.runtime.telemetry.spans import Attributes, Span
from libs.runtime.telemetry.trace_context import TRACEPARENT, TraceContext

log = get_logger(__name__)

ID = re.compile(r"[0-9a-f]{24}|[0-9A-HJKMNP-TV-Z]{26}")
"""The ids of the shop. A key of another form is in no log line: it might hold personal data."""
NO_IDS = MappingProxyType[str, str]({})


@dataclass(slots=True)
class Handling:
    """The work for an event. `attempts` and `error` are shown in its span."""

    attempts: int = 1
    error: str = ""


@contextmanager
def handling(message: Message, group: str = "") -> Iterator[Handling]:
    """Work on the event in `message`, which may be malformed. Its ids are in the log lines when they have the form of ids.

    The work is a span below the place where the event was created. `group`: of the consumer.
    """
    headers = dict(headers_of(message))
    event_id, key = _text(headers.get("ce_id")), _text(message.key())
    ids = _ids(str(message.topic()), event_id, key)
    came = trace_of(event_id, _text(headers.get(TRACEPARENT)))
    if not came.sampled:
        with trace_context.continued(came, **ids):
            yield Handling()
        return
    span, work = make_span(message, event_id, came, group), Handling()
    try:
        with trace_context.continued(span.context, **ids):
            yield work
    except BaseException as error:
        work.error = type(error).__name__
        raise
    finally:
        span.attributes["shop.attempt"], span.error = work.attempts, work.error
        spans.end(span)


@contextmanager
def continuing(event: Event) -> Iterator[None]:
    """Work on one event of several, of those that were read. As `handling`, but without a span of its own."""
    if event.trace is None:
        yield
        return
    with trace_context.continued(event.trace, **_ids(event.type, event.id, event.subject)):
        yield


def make_span(message: Message, event_id: str, came: TraceContext, group: str) -> Span:
    """The span of the work for an event, which begins now."""
    span = Span(f"process {message.topic()}", "consumer", came.child())
    span.attributes = _attributes("process", message, event_id)
    if group:
        span.attributes["messaging.consumer.group.name"] = group
    return span


def _ids(topic: str, event_id: str, key: str) -> dict[str, str]:
    """The ids of an event for its log lines, when they have the form of ids."""
    ids = {"topic": topic}
    ids |= {"event_id": event_id} if ID.fullmatch(event_id) else NO_IDS
    return ids | ({"aggregate_id": key} if ID.fullmatch(key) else NO_IDS)


def _attributes(operation: str, message: Message, event_id: str) -> Attributes:
    """The attributes of a span, by the semantic conventions for messaging."""
    attributes: Attributes = {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": str(message.topic()),
        "messaging.destination.partition.id": str(message.partition()),
        "messaging.kafka.offset": message.offset() or 0,
    }
    return attributes | ({"messaging.message.id": event_id} if ID.fullmatch(event_id) else {})


def log_handled(message: Message, *, seconds: float, attempts: int) -> None:
    """Log that an event was handled. Call it inside of `handling`. `seconds`: how long the last attempt took.

    The lag is the time from the event's `ce_time`, when its change was stored.
    """
    stored_at = _text(dict(headers_of(message)).get("ce_time"))
    log.info("event handled", ms=round(seconds * 1000, 1), attempts=attempts, lag_ms=_milliseconds_since(stored_at))


def log_handled_in_batch(event: Event, *, seconds: float, attempts: int) -> None:
    """As `log_handled`, outside of the event's own work. `seconds`: how long the batch took."""
    log.info(
        "event handled",
        **_ids(event.type, event.id, event.subject),
        trace_id=event.trace.trace_id if event.trace else None,
        ms=round(seconds * 1000, 1),
        attempts=attempts,
        lag_ms=_milliseconds_since(event.time),
    )


def log_published(message: Message, event_id: str, aggregate_id: str, headers: Mapping[str, str], began: int) -> None:
    """Log that the broker has acknowledged an event of an outbox. `headers`: of the event. `began`: when it was sent, in ns.

    The sending is a span, with a link to the place where the event was created.
    """
    created = trace_of(event_id, headers.get(TRACEPARENT, ""))
    if created.sampled:
        attributes = _attributes("send", message, event_id)
        spans.end(Span(f"send {message.topic()}", "producer", created.child(), began, 0, attributes, "", created))
    log.info(
        "event published",
        trace_id=created.trace_id,
        event_id=event_id,
        topic=message.topic(),
        aggregate_id=aggregate_id,
        partition=message.partition(),
        offset=message.offset(),
        lag_ms=_milliseconds_since(headers.get("ce_time", "")),
    )


def _text(raw: bytes | str | None) -> str:
    return raw.decode(errors="replace") if isinstance(raw, bytes) else raw or ""


def _milliseconds_since(moment: str) -> int | None:
    try:
        passed = datetime.now(UTC) - datetime.fromisoformat(moment)
    except (ValueError, TypeError, OverflowError):  # no time, or one without a zone
        return None
    return round(passed.total_seconds() * 1000)
