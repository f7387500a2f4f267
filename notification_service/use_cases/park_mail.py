"""Park the mail of an event that the SMTP server put off or left in doubt, and decide what becomes of it after each try."""

import time
from dataclasses import dataclass, field

from confluent_kafka import Message

from libs.messaging.envelope import Event, MalformedEvent
from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from libs.runtime.logs import get_logger
from libs.runtime.steps import Steps
from notification_service.domain.failures import Fenced, InDoubt, NotKnownYet
from notification_service.domain.mail import MailContent
from notification_service.domain.parked_mail import ParkedMail, RetryPolicy
from notification_service.events.consumed import ORDER_TOPICS, MailResendRequested
from notification_service.smtp.mailer import Mailer
from notification_service.smtp.metrics import count_mail
from notification_service.store.dead_letters import DeadLetters
from notification_service.store.ledger_reader import LedgerReader
from notification_service.store.parked_mails import ParkedMails
from notification_service.use_cases.late_answers import Unanswered
from notification_service.use_cases.send_mail import Fence, SendMail

log = get_logger(__name__)

ORDERED_TOPICS = {*ORDER_TOPICS, MailResendRequested.topic}
RETRY_SECONDS = 1.0
WRITE_SECONDS = 10.0
OLDER = "older than the ledger"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkMail:
    """The use case with what it works on."""

    parked: ParkedMails
    mailer: Mailer
    dead_letters: DeadLetters
    policy: RetryPolicy
    steps: Steps
    outstanding: dict[str, Unanswered] = field(default_factory=dict)
    """By event id: mails whose answer is outstanding. They are not sent again."""

    def __call__(self, mail: ParkedMail, message: Message, failure: Exception | None) -> None:
        """Store what becomes of `mail` after a try. `failure`: what the try raised, or None.

        Raises PermanentFailure for a mail that is not parked yet and is not tried again. Raises ServerUnavailable.
        """
        reason = str(failure) or type(failure).__name__
        match failure:
            case None:
                self._settle(mail)
            case Unanswered():
                self._park_unanswered(mail, message, failure)
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

    def result_of(self, unanswered: Unanswered, event_id: str) -> Exception | None:
        """What became of a mail whose answer was outstanding: None when it was sent, the failure, or still `unanswered`."""
        if not unanswered.outcome.done():
            return unanswered
        self.outstanding.pop(event_id, None)
        failure = unanswered.outcome.exception()
        return failure if isinstance(failure, Exception) else None

    def _park_unanswered(self, mail: ParkedMail, message: Message, unanswered: Unanswered) -> None:
        self.outstanding[mail.event_id] = unanswered
        self._store(mail.awaiting_answer(self.policy, _now()), message)
        if not unanswered.parked:
            unanswered.parked = True
            unanswered.outcome.add_done_callback(lambda _: self._finish(unanswered, mail, message))

    def _finish(self, unanswered: Unanswered, mail: ParkedMail, message: Message) -> None:
        """Store what became of a parked mail. It runs in the thread that waited for the answer."""
        failure = self.result_of(unanswered, mail.event_id)
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
            with self.steps.step("write a dead letter", WRITE_SECONDS):
                self.dead_letters.write(message, reason=reason, attempts=mail.tries + mail.doubts + 1)
            self._settle(mail)
        else:
            raise PermanentFailure(reason)

    def _store(self, mail: ParkedMail, message: Message) -> None:
        with self.steps.step("park a mail", WRITE_SECONDS):
            self.parked.put(mail, message)
        wait = max(0, mail.due - _now()) / 1000
        log.info("mail parked", state=mail.state, reason=mail.reason, tries=mail.tries, wait_seconds=round(wait))

    def _settle(self, mail: ParkedMail) -> None:
        if mail.event_id in self.parked:
            with self.steps.step("settle a parked mail", WRITE_SECONDS):
                self.parked.settle(mail.event_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOrPark:
    """Send the mail of a new event, or park it."""

    send_mail: SendMail
    park_mail: ParkMail
    reader: LedgerReader
    fence: Fence

    def __call__(
        self, event: Event, *, kind: str, recipient: str | None, user_id: str, content: MailContent, limited: bool
    ) -> None:
        """Send the mail once, unless an earlier one of its order is parked. Park it when it is not sent then.

        Raises ServerUnavailable, PermanentFailure, NotKnownYet and Fenced.
        """
        parked, message, mail = self.park_mail.parked, _message_of(event), _new(event)
        if unanswered := self.park_mail.outstanding.get(event.id):
            failure = None if unanswered.parked else self.park_mail.result_of(unanswered, event.id)
            if failure:
                self._park(mail, message, failure, kind)
            return
        if event.id in parked:  # the process was killed before it committed the offset
            return
        self._require_known(event)
        if parked.has_key(mail.ordering_key):
            self._require_own(mail.topic, mail.partition)
            self.park_mail.park_behind(mail, message)
            count_mail(kind, "parked")
            return
        try:
            self.send_mail(event, kind=kind, recipient=recipient, user_id=user_id, content=content, limited=limited)
        except (TransientFailure, InDoubt, Unanswered) as failure:
            self._park(mail, message, failure, kind)

    def put_off(self, event: Event, failure: TransientFailure, *, kind: str) -> None:
        """Park the mail of an event for which the server is unavailable, while it takes others. Raises as a call does."""
        self._park(_new(event), _message_of(event), failure, kind)

    def _park(self, mail: ParkedMail, message: Message, failure: Exception, kind: str) -> None:
        if not isinstance(failure, Unanswered | InDoubt):  # those are past the fence
            self._require_own(mail.topic, mail.partition)
        self.park_mail(mail, message, failure)
        count_mail(kind, "parked")

    def _require_own(self, topic: str, partition: int) -> None:
        if not self.fence.is_current(topic, partition):
            raise Fenced("the group took the partition away")

    def _require_known(self, event: Event) -> None:
        """Raise NotKnownYet or PermanentFailure when the ledger cannot tell whether the event's mail was sent."""
        if self.send_mail.ledger.has(event) or self.reader.proves_absence(event.id):
            return
        if not self.reader.is_complete:
            raise NotKnownYet("the ledger is not read so far back yet")
        raise PermanentFailure(OLDER)


def _message_of(event: Event) -> Message:
    if event.message is None:
        raise TypeError("an event without its message cannot be parked")
    return event.message


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
