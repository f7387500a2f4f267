"""A late answer of the SMTP server is awaited in the trace of the mail's event."""

from libs.messaging.envelope import Event
from libs.runtime.steps import Steps
from libs.runtime.telemetry import trace_context
from libs.runtime.telemetry.trace_context import TraceContext
from notification_service.use_cases.late_answers import LateAnswers

TRACE = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
EVENT = Event("01K00000000000000000000000", "order-placed", "a", 1, "", {})


class Ledger:
    """Notes the trace in which a mail is recorded."""

    traces = ()

    def send_once(self, _event, _send):
        self.traces = (*self.traces, trace_context.current())


class Answer:
    seconds = 10.0

    def wait(self): ...


def test_the_record_of_a_mail_that_was_answered_late_has_its_trace():
    ledger = Ledger()
    with trace_context.continued(TRACE):
        unanswered = LateAnswers(ledger, Steps()).wait_for(EVENT, Answer(), lambda: None)
    unanswered.outcome.result(10)
    assert ledger.traces == (TRACE,)
