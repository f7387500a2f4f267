"""Spans go to the collector by OpenTelemetry, and an unavailable collector delays nothing."""

import threading

import pytest
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from structlog.testing import capture_logs

from libs.runtime.config import BadConfiguration, TraceConfig, load
from libs.runtime.telemetry import otel, spans, trace_context
from libs.runtime.telemetry.otel import OtelRecorder, make_exporter, sampler, start_tracing
from libs.runtime.telemetry.spans import Span
from libs.runtime.telemetry.trace_context import TraceContext

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture(autouse=True)
def nothing_left():
    yield
    spans.set_recorder(None)
    trace_context.set_sampler(trace_context._never, trusts_clients=False)


def test_a_span_has_the_ids_of_the_trace_context():
    exporter = InMemorySpanExporter()
    recorder = OtelRecorder("order_service", exporter)
    created = TraceContext(TRACE, PARENT, sampled=True)
    attributes = {"messaging.system": "kafka"}
    span = Span("send order-placed", "producer", created.child(), 1_000, 3_000, attributes, "refused", created)
    recorder.record(span)
    recorder.close()
    (found,) = exporter.get_finished_spans()
    assert f"{found.context.trace_id:032x}" == TRACE
    assert f"{found.context.span_id:016x}" == span.context.span_id
    assert f"{found.parent.span_id:016x}" == PARENT
    assert (found.name, found.kind, found.start_time, found.end_time) == (
        "send order-placed",
        SpanKind.PRODUCER,
        1_000,
        3_000,
    )
    assert (found.status.status_code, dict(found.attributes)) == (StatusCode.ERROR, attributes)
    assert [f"{link.context.span_id:016x}" for link in found.links] == [PARENT]
    assert found.resource.attributes["service.name"] == "order_service"


def test_without_an_endpoint_there_are_no_spans():
    start_tracing("order_service", load(TraceConfig, {}), b"key")
    assert spans._recorder is None


@pytest.mark.parametrize(
    ("name", "url", "kind"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "OTLPSpanExporter"),
        ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://127.0.0.1:9411/api/v2/spans", "ZipkinExporter"),
    ],
)
def test_the_endpoint_chooses_the_exporter(name, url, kind):
    assert type(make_exporter(load(TraceConfig, {name: url}))).__name__ == kind


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ("OTEL_TRACES_SAMPLER_ARG", "nan"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
        ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "ftp://x"),
        ("TRACE_TRUST", "yes"),
    ],
)
def test_nonsense_is_refused(name, value):
    with pytest.raises(BadConfiguration, match=name):
        load(TraceConfig, {name: value})


def test_without_the_extra_a_service_starts_and_says_so(monkeypatch):
    def missing(_config):
        raise ImportError

    monkeypatch.setattr(otel, "make_exporter", missing)
    config = load(TraceConfig, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})
    with capture_logs() as lines:
        start_tracing("order_service", config, b"key")
    assert spans._recorder is None
    assert "requirements/otel.txt" in lines[0]["event"]


def test_the_share_of_sampled_traces_is_that_of_the_setting_and_the_same_in_each_service():
    ids = [f"{number:032x}" for number in range(1, 20_001)]
    decide = sampler(0.1, b"a key that clients do not know")
    sampled = {trace_id for trace_id in ids if decide(trace_id)}
    assert 1_800 <= len(sampled) <= 2_200
    assert sampled == {trace_id for trace_id in ids if sampler(0.1, b"a key that clients do not know")(trace_id)}
    assert sampled != {trace_id for trace_id in ids if sampler(0.1, b"another")(trace_id)}
    assert not any(map(sampler(0, b"k"), ids))
    assert all(map(sampler(1, b"k"), ids))


class Away:
    """A collector that takes nothing: it hangs, fails or raises."""

    def __init__(self, result):
        self.result, self.calls = result, 0

    def export(self, _batch):
        self.calls += 1
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def shutdown(self):
        pass


@pytest.mark.parametrize("result", [SpanExportResult.FAILURE, ConnectionError("secret detail")])
def test_an_unavailable_collector_is_one_warning_a_minute(result, monkeypatch):
    quiet = otel._Quiet(Away(result))
    now = [1000.0]
    monkeypatch.setattr(otel.time, "monotonic", lambda: now[0])
    with capture_logs() as lines:
        for _ in range(5):
            assert quiet.export([None] * 3) is SpanExportResult.FAILURE
        now[0] += 61
        quiet.export([None])
    assert [line["count"] for line in lines] == [3, 13]
    assert "secret" not in str(lines)


class Hanging:
    """A collector that answers when the test lets it."""

    def __init__(self):
        self.asked, self.go = threading.Event(), threading.Event()

    def export(self, _batch):
        self.asked.set()
        assert self.go.wait(60)
        return SpanExportResult.SUCCESS

    def shutdown(self):
        pass


WORK = TraceContext(TRACE, PARENT, sampled=True)


def test_spans_beyond_the_queue_are_dropped_without_a_wait_and_a_warning_says_so():
    recorder = OtelRecorder("order_service", collector := Hanging())
    with capture_logs() as lines:
        for _ in range(3 * otel.QUEUE_SIZE):  # none of these waits: the collector answers after the last one
            recorder.record(Span("work", "internal", WORK, 1, 2))
        assert collector.asked.wait(60)
        assert recorder._outlet._waiting <= otel.QUEUE_SIZE
        collector.go.set()
        recorder.close()
    assert [(line["event"], line["log_level"], line["reason"]) for line in lines] == [
        ("spans lost", "warning", "the collector is too slow")
    ]
    assert lines[0]["count"] == 2 * otel.QUEUE_SIZE


def test_a_process_that_ends_exports_what_waits():
    exporter = InMemorySpanExporter()
    recorder = OtelRecorder("order_service", exporter)
    recorder.record(Span("work", "internal", WORK, 1, 2))
    recorder.close()
    assert [span.name for span in exporter.get_finished_spans()] == ["work"]


def test_a_process_that_ends_waits_no_longer_than_three_seconds_for_its_collector(monkeypatch):
    quiet, now = otel._Quiet(collector := Away(SpanExportResult.SUCCESS)), [1000.0]
    monkeypatch.setattr(otel.time, "monotonic", lambda: now[0])
    quiet.end_within(otel.CLOSE_SECONDS)
    assert quiet.export([None]) is SpanExportResult.SUCCESS
    now[0] += otel.CLOSE_SECONDS
    with capture_logs() as lines:
        assert quiet.export([None]) is SpanExportResult.FAILURE
    assert (collector.calls, lines[0]["reason"]) == (1, "the process ends")
