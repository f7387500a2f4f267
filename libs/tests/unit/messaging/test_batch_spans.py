"""Each event of a batch is handled in its own trace, though one call handles them all."""

import orjson
import pytest
from confluent_kafka import Message
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.testing import capture_logs
from ulid import ULID

from libs.messaging.consumer.batch_spans import BatchSpans, log_handler_failed, log_not_handled
from libs.messaging.consumer.batches import in_turn
from libs.messaging.consumer.queued_event import QueuedEvent
from libs.messaging.envelope import EventData, new_row, parse
from libs.runtime.telemetry import trace_context
from libs.runtime.telemetry.trace_context import TraceContext

TRACES = [f"{number:032x}" for number in (1, 2)]


class Made(EventData):
    topic = "thing-made"


def queued(trace_id, *, sampled=True):
    """An event of a trace, as it was fetched."""
    with trace_context.continued(TraceContext(trace_id, "00f067aa0ba902b7", sampled=sampled)):
        row = new_row(Made(), source="things", aggregate_id=str(ULID()), sequence=1)
    headers = [(name, text.encode()) for name, text in orjson.loads(row.headers).items()]
    key, value = row.aggregate_id.encode(), row.payload.encode()
    return QueuedEvent.of(Message(topic=row.topic, partition=0, offset=1, key=key, value=value, headers=headers))


def trace_in(row):
    return trace_context.parse(orjson.loads(row.headers)["traceparent"])


def follow(event):
    return new_row(Made(), source="t", aggregate_id=event.subject, sequence=1, traceparent=event.traceparent)


def test_a_row_has_the_trace_of_the_event_that_it_follows():
    work = BatchSpans([queued(trace, sampled=False) for trace in TRACES], "group")
    with work.handling():
        rows = [follow(event) for event in work.events]
        assert trace_context.current() is None
    assert [trace_in(row).trace_id for row in rows] == TRACES


def test_each_sampled_event_has_a_span_and_its_rows_are_below_it(recorded):
    jobs = [queued(TRACES[0]), queued(TRACES[1]), queued("3" * 32, sampled=False)]
    came = [job.read().trace for job in jobs]
    work = BatchSpans(jobs, "group")
    with work.handling():
        rows = [follow(event) for event in work.events]
    work.end({work.events[1].id: "no such thing"}, 0.1)
    assert [(span.name, span.kind, span.error) for span in recorded] == [
        ("process thing-made", "consumer", ""),
        ("process thing-made", "consumer", "no such thing"),
    ]
    for number, span in enumerate(recorded):
        assert span.context.parent_id == came[number].span_id
        assert trace_in(rows[number]).span_id == span.context.span_id
        assert span.attributes["messaging.consumer.group.name"] == "group"
        assert span.attributes["shop.attempt"] == 1
    assert trace_in(rows[2]) == came[2]


def test_a_try_that_fails_is_the_error_of_each_span(recorded):
    work = BatchSpans([queued(trace) for trace in TRACES], "group")
    with pytest.raises(LookupError), work.handling():
        raise LookupError
    assert [span.error for span in recorded] == ["LookupError"] * 2


def test_a_try_that_an_unavailable_server_ends_is_a_try_in_the_span_and_in_the_log_line(recorded):
    jobs = [queued(TRACES[0])]
    with pytest.raises(ConnectionError), BatchSpans(jobs, "group").handling():
        raise ConnectionError
    with capture_logs() as lines:
        BatchSpans(jobs, "group").end({}, 0.1)
    assert [(span.attributes["shop.attempt"], span.error) for span in recorded] == [(1, "ConnectionError"), (2, "")]
    assert lines[0]["attempts"] == 2


def test_an_event_alone_is_the_work_of_the_thread():
    work = BatchSpans([job := queued(TRACES[0])], "group")
    with work.handling():
        assert trace_context.current() == work.events[0].trace
        assert get_contextvars()["aggregate_id"] == job.key.decode()
    assert trace_context.current() is None


def test_handlers_that_are_called_in_turn_have_the_trace_of_their_event():
    seen = []
    handle = in_turn({"thing-made": lambda event: seen.append(trace_context.current().trace_id)})
    assert handle([queued(trace).read() for trace in TRACES]) == {}
    assert seen == TRACES


def test_each_event_that_is_not_refused_has_a_log_line_with_its_ids():
    work = BatchSpans([queued(trace) for trace in TRACES], "group")
    with capture_logs() as lines:
        work.end({work.events[0].id: "no"}, 0.1234)
    (line,) = lines
    assert (line["event"], line["trace_id"], line["event_id"]) == ("event handled", TRACES[1], work.events[1].id)
    assert (line["aggregate_id"], line["ms"], line["attempts"]) == (work.events[1].subject, 123.4, 1)
    assert line["lag_ms"] >= 0


def test_the_lines_of_an_event_alone_that_fails_have_its_ids():
    job = queued(TRACES[0])
    job.read()
    with capture_logs([merge_contextvars]) as lines:
        log_not_handled([job], "MongoDB is unavailable", 1.234)
        log_handler_failed(job, ValueError())
        log_not_handled([job, queued(TRACES[1])], "MongoDB is unavailable", 1.0)
    ids = {"trace_id": TRACES[0], "event_id": job.read().id, "topic": "thing-made", "aggregate_id": job.key.decode()}
    for line in lines[:2]:
        assert ids.items() <= line.items()
    assert [line["event"] for line in lines] == ["event not handled yet", "handler failed", "batch not handled yet"]
    assert lines[0]["wait_seconds"] == 1.23
    assert "trace_id" not in lines[2]


def test_a_malformed_event_has_no_ids_in_its_line():
    job = queued(TRACES[0])
    with capture_logs([merge_contextvars]) as lines:  # it was never read
        log_not_handled([job], "Kafka is unavailable", 1.0)
    assert "event_id" not in lines[0]


def test_a_trace_that_is_no_text_is_ignored():
    job = queued(TRACES[0])
    headers = [(n, b"\xff\xfe" if n == "traceparent" else v) for n, v in job.message.headers()]
    job.message.set_headers(headers)
    event = parse(job.message)
    assert event.trace.trace_id == ULID.from_str(event.id).hex
