"""Waits for answers to the final dot that come late, each in a thread of its own, and records the mails that were taken."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial

from libs.messaging.envelope import Event
from libs.messaging.failures import ServerUnavailable
from libs.runtime.steps import Steps
from notification_service.domain.mail import SentMail
from notification_service.smtp.mailer import LateAnswer
from notification_service.store.mail_ledger import ACKNOWLEDGED_SECONDS, MailLedger

RECORD_SECONDS = 1.0


class Unanswered(Exception):
    """The SMTP server has the mail's final dot and has not answered it.

    `outcome` ends when the answer came and the mail is recorded, or with TransientFailure, PermanentFailure or InDoubt.
    `parked`: whether the mail is parked since then.
    """

    def __init__(self, outcome: "Future[None]") -> None:
        super().__init__("the SMTP server has not answered yet")
        self.outcome, self.parked = outcome, False


@dataclass(frozen=True, slots=True)
class LateAnswers:
    """Starts the threads. A thread holds the connection and its place among those of the mailer until the answer is there."""

    ledger: MailLedger
    steps: Steps
    closed: threading.Event = field(default_factory=threading.Event)

    def wait_for(self, event: Event, answer: LateAnswer, sent: Callable[[], SentMail]) -> Unanswered:
        """Start to wait, whatever becomes of the event. `sent` makes the record of the mail."""
        outcome: Future[None] = Future()
        work = partial(copy_context().run, self._wait, event, answer, sent, outcome)  # in the event's trace
        threading.Thread(target=work, name="answer", daemon=True).start()
        return Unanswered(outcome)

    def _wait(self, event: Event, answer: LateAnswer, sent: Callable[[], SentMail], outcome: "Future[None]") -> None:
        try:
            with self.steps.step("wait for the SMTP server's answer", answer.seconds):
                answer.wait()
            self._record(event, sent)
        except Exception as error:  # this thread has no other place for it
            outcome.set_exception(error)
        else:
            outcome.set_result(None)

    def _record(self, event: Event, sent: Callable[[], SentMail]) -> None:
        """Record the mail, however long that takes. The mail stays parked until then."""
        while True:
            try:
                with self.steps.step("record a mail", ACKNOWLEDGED_SECONDS):
                    self.ledger.send_once(event, sent)
                return
            except ServerUnavailable:  # the record is still queued
                if self.closed.wait(RECORD_SECONDS):
                    raise
