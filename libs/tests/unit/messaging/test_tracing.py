"""The trace of an event: into its headers, through the relay and a handler, into the events that follow and the dead letter."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar

import orjson
import pytest
from confluent_kafka import Message
from structlog.contextvars import get_contextvars
from structlog.testing import capture_logs
from ulid import ULID

from libs.messaging.dead_letters import DeadLetter, write_dead_letter
from libs.messaging.dlq_command import _act
from libs.messaging.envelope import EventData, new_row, parse
from libs.messaging.tracing import handling, log_handled, log_published
from libs.runtime.telemetry import trace_context
from libs.runtime.telemetry.trace_context import TraceContext
from libs.values.times import rfc3339

TRACE, SPAN, KEY = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "507f1f77bcf86cd799439011"
CONTEXT = TraceContext(TRACE, SPAN, sampled=True)


class Made(EventData):
    topic: ClassVar[str] = "thing-made"
    count: int = 3


def make_row():
    return new_row(Made(), source="things", aggregate_id=KEY, sequence=1)


def to_message(row, *, key=KEY, value=None, drop=(), **headers):
    sent = {name: text for name, text in orjson.loads(row.headers).items() if name not in drop} | headers
    return Message(
        topic=row.topic,
        partition=0,
        offset=7,
        key=key.encode(),
        value=row.payload.encode() if value is None else value,
        headers=[(name, text.encode()) for name, text in sent.items()],
        timestamp=(1, 1_700_000_000_000),
    )


@pytest.fixture
def row():
    with trace_context.continued(CONTEXT):
        return make_row()


def trace_in(row):
    return trace_context.parse(orjson.loads(row.headers)["traceparent"])


def test_an_event_has_the_trace_of_the_work_that_stores_it(row):
    assert trace_in(row) == CONTEXT


def test_an_event_outside_of_all_work_begins_a_trace():
    assert trace_in(make_row()).trace_id != trace_in(make_row()).trace_id


def test_an_event_that_a_handler_stores_has_the_trace_of_the_event_that_it_handles(row):
    with handling(to_message(row)):
        following = make_row()
    assert (trace_in(following).trace_id, trace_in(following).sampled) == (TRACE, True)
    assert parse(to_message(following)).trace == trace_in(following)


def test_consumers_of_an_event_without_a_trace_agree_on_one(row):
    message = to_message(row, drop=["traceparent"])
    traces = set()
    for _ in range(2):
        with handling(message):
            traces.add(trace_in(make_row()).trace_id)
    assert traces == {ULID.from_str(row.event_id).hex} == {parse(message).trace.trace_id}


@pytest.mark.parametrize("sent", ["", "nonsense", f"00-{'0' * 32}-{SPAN}-01"])
def test_a_malformed_header_of_an_event_is_no_reason_to_refuse_it(row, sent):
    assert parse(to_message(row, traceparent=sent)).trace.trace_id == ULID.from_str(row.event_id).hex


def test_log_lines_have_the_ids_of_the_event(row):
    with handling(to_message(row)):
        assert get_contextvars() == {
            "trace_id": TRACE,
            "topic": "thing-made",
            "event_id": row.event_id,
            "aggregate_id": KEY,
        }
    assert get_contextvars() == {}


@pytest.mark.parametrize("odd", ["ada@example.com", "Ada Lovelace", "ada", "", "\n"])
def test_a_key_or_an_event_id_of_another_form_is_in_no_log_line(row, odd):
    with handling(to_message(row, key=odd, ce_id=odd)):
        assert set(get_contextvars()) == {"trace_id", "topic"}


def test_the_line_of_a_handled_event_has_its_duration_its_attempts_and_its_lag(row):
    stored = rfc3339(datetime.now(UTC) - timedelta(seconds=90))
    message = to_message(row, ce_time=stored)
    with capture_logs() as lines, handling(message):
        log_handled(message, seconds=0.0123, attempts=2)
    (line,) = lines
    assert (line["event"], line["log_level"], line["ms"], line["attempts"]) == ("event handled", "info", 12.3, 2)
    assert 90_000 <= line["lag_ms"] < 150_000


@pytest.mark.parametrize("odd", ["", "yesterday", "2026-01-01T00:00:00"])
def test_an_event_without_a_time_has_no_lag(row, odd):
    message = to_message(row, ce_time=odd)
    with capture_logs() as lines:
        log_handled(message, seconds=0, attempts=1)
    assert lines[0]["lag_ms"] is None


class Sent:
    def send(self, topic, value, key, *, partition, headers):
        self.headers = dict(headers)


@pytest.mark.parametrize("kept", [None, {"userId": "[0-9a-f]{24}"}])
def test_a_dead_letter_keeps_the_trace_also_of_an_event_with_secret_data(row, kept):
    sent = Sent()
    write_dead_letter(sent, "group", to_message(row), reason="refused", attempts=0, kept=kept)
    assert sent.headers["traceparent"] == CONTEXT.traceparent.encode()


@pytest.mark.parametrize("secret", ["a-secret-token", f"00-{TRACE}-{SPAN}-01-secret", f"00-{TRACE}-{SPAN}-0"])
def test_a_dead_letter_of_an_event_with_secret_data_keeps_no_header_of_another_form(row, secret):
    sent = Sent()
    write_dead_letter(sent, "group", to_message(row, traceparent=secret), reason="refused", attempts=0, kept={})
    assert "traceparent" not in sent.headers


def test_the_handling_of_an_event_is_a_span_below_its_creation(row, recorded):
    with handling(to_message(row), "product-service") as work:
        work.attempts, following = 3, make_row()
    (span,) = recorded
    assert (span.name, span.kind, span.error) == ("process thing-made", "consumer", "")
    assert (span.context.trace_id, span.context.parent_id) == (TRACE, SPAN)
    assert trace_in(following).span_id == span.context.span_id
    assert span.attributes == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "thing-made",
        "messaging.destination.partition.id": "0",
        "messaging.message.id": row.event_id,
        "messaging.kafka.offset": 7,
        "messaging.consumer.group.name": "product-service",
        "shop.attempt": 3,
    }


def test_the_sending_of_an_event_is_a_span_with_a_link_to_its_creation(row, recorded):
    log_published(to_message(row), row.event_id, KEY, orjson.loads(row.headers), 1_000)
    (span,) = recorded
    assert (span.name, span.kind, span.began) == ("send thing-made", "producer", 1_000)
    assert (span.context.trace_id, span.context.parent_id, span.linked) == (TRACE, SPAN, CONTEXT)
    assert span.attributes["messaging.operation.type"] == "send"


def test_an_attempt_that_fails_is_a_span_with_its_error(row, recorded):
    with handling(to_message(row)) as work:
        work.error = "no answer"
    with pytest.raises(KeyError), handling(to_message(row)):
        raise KeyError("secret")
    assert [span.error for span in recorded] == ["no answer", "KeyError"]


def test_an_event_of_a_trace_that_is_not_sampled_has_no_span(row, recorded):
    message = to_message(row, traceparent=f"00-{TRACE}-{SPAN}-00")
    with handling(message):
        following = make_row()
    log_published(message, row.event_id, KEY, {"traceparent": f"00-{TRACE}-{SPAN}-00"}, 1)
    assert recorded == []
    assert trace_in(following).span_id == SPAN


def test_what_follows_from_a_replay_is_below_the_span_of_the_replay(row, recorded):
    seen = []
    letter = DeadLetter("thing-made.things.dlq/0/1", to_message(row))
    assert _act("replay", letter, "things", lambda event: seen.append(event.trace)) == ""
    (span,) = recorded
    assert seen == [span.context]
    assert (span.context.trace_id, span.context.parent_id) == (TRACE, SPAN)
    assert span.attributes["messaging.consumer.group.name"] == "things"
