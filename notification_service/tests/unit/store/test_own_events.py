"""Events of the service itself."""

import orjson
from ulid import ULID

from libs.runtime.telemetry import trace_context
from libs.runtime.telemetry.trace_context import TraceContext
from notification_service.events.published import UserLinkRequested
from notification_service.store.own_events import OwnEvent

TRACE = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")


def test_an_own_event_has_the_envelope_but_for_a_sequence():
    data = UserLinkRequested(user_id="a" * 24, kind="reset", event_id="e", requested_at="2026-01-31T12:00:00.000Z")
    with trace_context.continued(TRACE):
        event = OwnEvent.of(data, "a" * 24)
    assert (event.topic, event.key) == ("user-link-requested", b"a" * 24)
    assert orjson.loads(event.value)["eventId"] == "e"
    assert ULID.from_str(event.headers["ce_id"])
    assert event.headers["ce_type"] == "user-link-requested"
    assert event.headers["traceparent"] == TRACE.traceparent
    assert set(event.headers) == {
        *("ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_subject", "content-type", "traceparent")
    }
