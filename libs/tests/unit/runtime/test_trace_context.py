"""The trace of a request: the client's when its header is valid, else a new one."""

import re
import threading

import pytest
from structlog.contextvars import clear_contextvars, get_contextvars

from libs.runtime.telemetry import trace_context
from libs.runtime.telemetry.trace_context import TraceContext, begin_request, continued, current, parse

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture(autouse=True)
def nothing_left():
    yield
    trace_context._current.set(None)
    clear_contextvars()


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("ff", True)])
def test_a_header_is_read(flags, sampled):
    assert parse(f"00-{TRACE}-{SPAN}-{flags}") == TraceContext(TRACE, SPAN, sampled=sampled)


@pytest.mark.parametrize("tail", ["", "-", "-what-comes-later"])
def test_of_a_later_version_the_known_parts_are_read(tail):
    assert parse(f"01-{TRACE}-{SPAN}-01{tail}") == TraceContext(TRACE, SPAN, sampled=True)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-0g",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f" 00-{TRACE}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"01-{TRACE}-{SPAN}-01.x",
        f"01-{TRACE}-{SPAN}-01-{'x' * 500}",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01",
        "00-\u0661" + TRACE[1:] + f"-{SPAN}-01",
    ],
)
def test_a_malformed_header_is_ignored(header):
    assert parse(header) is None
    context = begin_request(header)
    assert context.trace_id != TRACE
    assert re.fullmatch(r"[0-9a-f]{32}", context.trace_id)


def test_a_request_has_the_trace_of_its_client_but_not_the_decision_to_sample():
    context = begin_request(f"00-{TRACE}-{SPAN}-01")
    assert (context.trace_id, context.sampled) == (TRACE, False)
    assert context.span_id != SPAN
    assert current() is context
    assert get_contextvars()["trace_id"] == TRACE
    assert parse(context.traceparent) == context


def test_each_request_without_a_header_begins_a_trace():
    assert begin_request("").trace_id != begin_request("").trace_id


def test_a_trace_ends_with_its_block_and_with_its_ids():
    with continued(TraceContext(TRACE, SPAN, sampled=True), event_id="e1"):
        assert get_contextvars() == {"trace_id": TRACE, "event_id": "e1"}
        assert trace_context.current_or_new().traceparent == f"00-{TRACE}-{SPAN}-01"
    assert (current(), get_contextvars()) == (None, {})


def test_another_thread_has_no_part_in_it():
    seen = []
    with continued(TraceContext(TRACE, SPAN)):
        thread = threading.Thread(target=lambda: seen.append(current()))
        thread.start()
        thread.join()
    assert seen == [None]
