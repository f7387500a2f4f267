"""A real exporter, and a collector that takes spans, is unreachable, or never answers."""

import socket
import subprocess
import sys
import time

import pytest
from structlog.testing import capture_logs

from libs.runtime.config import TraceConfig, load
from libs.runtime.telemetry import otel
from libs.runtime.telemetry.otel import OtelRecorder, make_exporter
from libs.runtime.telemetry.spans import Span
from libs.runtime.telemetry.trace_context import TraceContext
from tests.free_ports import pick_free
from tests.span_sink import collecting

WORK = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled=True)
PROGRAM = """
import sys
from libs.runtime.telemetry import spans, trace_context
from libs.runtime.config import TraceConfig, load
from libs.runtime.telemetry.otel import start_tracing

settings = {"OTEL_EXPORTER_ZIPKIN_ENDPOINT": sys.argv[1], "OTEL_TRACES_SAMPLER_ARG": "1"}
start_tracing("a_service", load(TraceConfig, settings), b"key")
with trace_context.continued(trace_context.parse(sys.argv[2])), spans.span("last work"):
    pass
sys.exit(3)
"""


def endpoints(port):
    return [
        ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", f"http://127.0.0.1:{port}/api/v2/spans"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}"),
    ]


def recorder(setting):
    return OtelRecorder("a_service", make_exporter(load(TraceConfig, dict([setting]))))


def wait_lost(lines):
    """Wait for the warning. All that was recorded before has cost no wait."""
    deadline = time.monotonic() + 60
    while not (found := [line for line in lines if line["event"] == "spans lost"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def record_many(recorder):
    """Record more spans than the queue takes."""
    for _ in range(otel.QUEUE_SIZE + 500):
        recorder.record(Span("work", "internal", WORK, 1, 2))


@pytest.mark.parametrize("number", [0, 1], ids=["zipkin", "otlp"])
def test_a_collector_that_is_unreachable_is_a_warning(number):
    (nobody,) = pick_free(1)
    ours = recorder(endpoints(nobody)[number])
    with capture_logs() as lines:
        record_many(ours)
        assert len(wait_lost(lines)) == 1
        ours.close()
    assert len(lines) == 1  # one a minute
    assert lines[0]["count"] > 0


@pytest.mark.parametrize("number", [0, 1], ids=["zipkin", "otlp"])
def test_a_collector_that_never_answers_holds_up_nothing_and_is_a_warning(number):
    with socket.create_server(("127.0.0.1", 0)) as silent, capture_logs() as lines:
        ours = recorder(endpoints(silent.getsockname()[1])[number])
        record_many(ours)
        assert lines == []  # the first export still waits
        assert wait_lost(lines)[0]["log_level"] == "warning"
        ours.close()


def test_a_process_that_ends_sends_its_last_spans():
    with collecting() as sink:
        command = [sys.executable, "-c", PROGRAM, sink.endpoint, WORK.traceparent]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 3, ended.stderr
        assert sink.names(WORK.trace_id) == ["last work"]


def test_a_process_ends_without_its_collector():
    (nobody,) = pick_free(1)
    command = [sys.executable, "-c", PROGRAM, f"http://127.0.0.1:{nobody}/api/v2/spans", WORK.traceparent]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 3, ended.stderr
    assert "spans lost" in ended.stdout
