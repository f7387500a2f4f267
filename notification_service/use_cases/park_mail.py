"""Park the mail of an event that the SMTP server put off or left in doubt, and decide what becomes of it after each try."""

import threading
import time
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial

from confluent_kafka import Message

from libs.messaging.envelope import Event, MalformedEvent
from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from libs.runtime.logs import get_logger
from notification_service.domain.failures import InDoubt
from notification_service.domain.mail import MailContent
from notification_service.domain.parked_mail import ParkedMail, RetryPolicy
from notification_service.events.consumed import ORDER_TOPICS, MailResendRequested
from notification_service.smtp.mailer import Mailer
from notification_service.smtp.metrics import count_mail
from notification_service.store.dead_letters import DeadLetters
from notification_service.store.parked_mails import ParkedMails
from notification_service.use_cases.send_mail import SendMail, Unanswered

log = get_logger(__name__)

ORDERED_TOPICS = {*ORDER_TOPICS, MailResendRequested.topic}
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkMail:
    """The use case with what it works on."""

    parked: ParkedMails
    mailer: Mailer
    dead_letters: DeadLetters
    policy: RetryPolicy
    outstanding: dict[str, Unanswered] = field(default_factory=dict)
    """By event id: mails whose answer is outstanding, and that Kafka has not taken yet. They are parked, and not sent again."""

    def __call__(self, mail: ParkedMail, message: Message, failure: Exception | None) -> None:
        """Store what becomes of `mail` after a try. `failure`: what the try raised, or None.

        Raises PermanentFailure for a mail that is not parked yet and is not tried again. Raises ServerUnavailable.
        """
        reason = str(failure) or type(failure).__name__
        match failure:
            case None:
                self._settle(mail)
            case Unanswered():
                self.outstanding[mail.event_id] = failure
                self._store(mail.awaiting_answer(self.policy, _now()), message)
                del self.outstanding[mail.event_id]
                work = partial(copy_context().run, self._await, failure, mail, message)  # in the event's trace
                wait = threading.Thread(target=work, name="answer", daemon=True)
                wait.start()
            case InDoubt():
                doubtful = mail.in_doubt(self.policy, reason, _now())
                self._store_or_end(mail, doubtful, message, f"in doubt: {reason}")
            case PermanentFailure() | MalformedEvent():
                self._store_or_end(mail, None, message, reason)
            case TransientFailure() if self.mailer.refuses_everybody:
                self._store(mail.stand_still(reason, _now()), message)
            case _:
                text = reason if isinstance(failure, TransientFailure) else f"handler failed: {type(failure).__name__}"
                self._store_or_end(mail, mail.put_off(self.policy, text, _now()), message, text)

    def park_behind(self, mail: ParkedMail, message: Message) -> None:
        """Park a mail behind a parked one of its ordering key. Raises ServerUnavailable."""
        self._store(mail, message)

    def _await(self, unanswered: Unanswered, mail: ParkedMail, message: Message) -> None:
        failure: Exception | None = None
        try:
            unanswered.settle()
        except Exception as error:  # this thread has no other place for it
            failure = error
        while mail.event_id in self.parked:  # else another member settled it
            try:
                self(mail, message, failure)
                return
            except ServerUnavailable:
                time.sleep(RETRY_SECONDS)

    def _store_or_end(self, mail: ParkedMail, changed: ParkedMail | None, message: Message, reason: str) -> None:
        if changed:
            self._store(changed, message)
        elif mail.event_id in self.parked:
            self.dead_letters.write(message, reason=reason, attempts=mail.tries + mail.doubts + 1)
            self._settle(mail)
        else:
            raise PermanentFailure(reason)

    def _store(self, mail: ParkedMail, message: Message) -> None:
        self.parked.put(mail, message)
        wait = max(0, mail.due - _now()) / 1000
        log.info("mail parked", state=mail.state, reason=mail.reason, tries=mail.tries, wait_seconds=round(wait))

    def _settle(self, mail: ParkedMail) -> None:
        if mail.event_id in self.parked:
            self.parked.settle(mail.event_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOrPark:
    """Send the mail of a new event, or park it."""

    send_mail: SendMail
    park_mail: ParkMail

    def __call__(
        self, event: Event, *, kind: str, recipient: str | None, user_id: str, content: MailContent, limited: bool
    ) -> None:
        """Send the mail once, unless an earlier one of its order is parked. Park it when it is not sent then.

        Raises ServerUnavailable and PermanentFailure. ServerUnavailable also when too many mails are parked.
        """
        parked, message = self.park_mail.parked, event.message
        if message is None:
            raise TypeError("an event without its message cannot be parked")
        mail = _new(event)
        if unanswered := self.park_mail.outstanding.get(event.id):
            self.park_mail(mail, message, unanswered)
            return
        if event.id in parked:  # the process was killed before it committed the offset
            return
        if parked.is_full:
            raise ServerUnavailable("too many mails are parked")
        if parked.has_key(mail.ordering_key):
            self.park_mail.park_behind(mail, message)
            count_mail(kind, "parked")
            return
        try:
            self.send_mail(event, kind=kind, recipient=recipient, user_id=user_id, content=content, limited=limited)
        except (TransientFailure, InDoubt, Unanswered) as failure:
            self.park_mail(mail, message, failure)
            count_mail(kind, "parked")


def _new(event: Event) -> ParkedMail:
    """The event's mail before its first try. The mails of an order are sent in order. Every other mail is for itself."""
    return ParkedMail(
        event_id=event.id,
        topic=event.type,
        partition=event.partition,
        ordering_key=event.subject if event.type in ORDERED_TOPICS else event.id,
        sequence=event.sequence,
        since=_now(),
        due=_now(),
    )


def _now() -> int:
    return time.time_ns() // 1_000_000
