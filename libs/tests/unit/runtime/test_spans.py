"""Spans are recorded for sampled traces alone, and their ids are those of the headers."""

import pytest

from libs.runtime.telemetry import spans, trace_context
from libs.runtime.telemetry.trace_context import TraceContext

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = TraceContext(TRACE, SPAN, sampled=True)


def test_a_block_is_a_span_below_the_present_one(recorded):
    with trace_context.continued(SAMPLED), spans.span("outer", "client", {"a": 1}), spans.span("inner"):
        assert trace_context.current().trace_id == TRACE
    inner, outer = recorded
    assert (outer.name, outer.kind, outer.attributes) == ("outer", "client", {"a": 1})
    assert outer.context.parent_id == SPAN
    assert inner.context.parent_id == outer.context.span_id
    assert outer.began <= inner.began <= inner.ended <= outer.ended


def test_an_exception_is_the_error_of_the_span_and_goes_on(recorded):
    with pytest.raises(KeyError), trace_context.continued(SAMPLED), spans.span("work"):
        raise KeyError("a secret")
    assert recorded[0].error == "KeyError"


@pytest.mark.parametrize("context", [TraceContext(TRACE, SPAN), None])
def test_nothing_is_recorded_of_a_trace_that_is_not_sampled(recorded, context):
    if context is None:
        with spans.span("work"):
            assert not spans.is_recording()
    else:
        with trace_context.continued(context), spans.span("work"):
            assert trace_context.current() is context
    assert recorded == []


def test_without_a_recorder_a_block_costs_nothing_and_changes_nothing():
    with trace_context.continued(SAMPLED), spans.span("work"):
        assert trace_context.current() is SAMPLED


@pytest.mark.parametrize(
    ("trusts", "flags", "sampled"), [(False, "01", False), (True, "01", True), (True, "00", False)]
)
def test_a_clients_flag_counts_only_when_clients_are_trusted(recorded, trusts, flags, sampled):
    trace_context.set_sampler(lambda _: False, trusts_clients=trusts)
    context = trace_context.begin_request(f"00-{TRACE}-{SPAN}-{flags}")
    assert (context.sampled, context.parent_id) == (sampled, SPAN)
