"""Which parked mail is due, and what a try of it is."""

import heapq
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from confluent_kafka import Message

from libs.messaging.envelope import parse
from libs.messaging.failures import ServerUnavailable
from libs.messaging.handlers import Handler
from libs.messaging.tracing import handling
from notification_service.domain.failures import Fenced, InDoubt
from notification_service.domain.parked_mail import ParkedMail
from notification_service.events.topics import GROUP
from notification_service.smtp.mailer import Mailer
from notification_service.store.mail_ledger import MailLedger
from notification_service.store.parked_mails import ParkedMails
from notification_service.use_cases.park_mail import ParkMail

TURN_SECONDS = 0.25  # between two searches for due mails
REFUSED_SECONDS = 5.0  # between two tries while the server refuses everybody
MAX_DUE = 100


class DueMails:
    """The parked mails that are due. Of each ordering key only the first mail is, and only with its partition at this member.

    The one that is due, or was tried, for the longest time comes first: a mail whose tries fail delays no other one.
    The class has no lock. Its user holds one for each call.
    """

    def __init__(self, parked: ParkedMails, mailer: Mailer, owns: Callable[[str, int], bool]) -> None:
        self._parked, self._mailer, self._owns = parked, mailer, owns
        self._due, self._searched_at, self._not_before = list[ParkedMail](), 0.0, 0.0
        self._active, self._tried_at = set[str](), dict[str, int]()

    @property
    def active(self) -> int:
        """How many parked mails are tried right now."""
        return len(self._active)

    def take(self, now: float) -> ParkedMail | None:
        """The mail to try now. `end` ends its try. `now` is of time.monotonic()."""
        if now < self._not_before:
            return None
        refused = self._mailer.refuses_everybody
        if refused and self._active:
            return None
        if not self._due and now - self._searched_at >= TURN_SECONDS:
            self._searched_at, self._due = now, self._search()
        while self._due:
            mail = self._due.pop()
            if mail.event_id not in self._active and self._owns(mail.topic, mail.partition):
                self._active.add(mail.event_id)
                if refused:
                    self._not_before = now + REFUSED_SECONDS
                return mail
        return None

    def end(self, mail: ParkedMail) -> None:
        """The try of a mail has ended."""
        self._active.discard(mail.event_id)
        self._tried_at[mail.event_id] = time.time_ns() // 1_000_000

    def drop(self) -> None:
        """Drop what was found: the partitions move."""
        self._due = []

    def _search(self) -> list[ParkedMail]:
        """The mails that are due, the next one last."""
        now, heads = time.time_ns() // 1_000_000, self._parked.heads()
        self._tried_at = {key: at for key, at in self._tried_at.items() if key in self._parked}
        due = (
            mail
            for mail in heads
            if (mail.due <= now or mail.state == "behind")
            and mail.event_id not in self._active
            and self._owns(mail.topic, mail.partition)
        )
        found = heapq.nsmallest(MAX_DUE, due, key=lambda mail: max(mail.due, self._tried_at.get(mail.event_id, 0)))
        return found[::-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedTry:
    """Tries a parked mail. `handlers`: of each topic; they send a mail and do not park it."""

    parked: ParkedMails
    handlers: Mapping[str, Handler]
    park_mail: ParkMail
    ledger: MailLedger

    def __call__(self, mail: ParkedMail) -> None:
        """Try the mail and store what becomes of it. Raises ServerUnavailable, Fenced and KafkaException: it stays as it is."""
        if (message := self.parked.message_of(mail)) is not None:  # a message without a value is false
            with handling(message, GROUP):
                self.park_mail(mail, message, self._attempt(mail, message))

    def _attempt(self, mail: ParkedMail, message: Message) -> Exception | None:
        """Try the mail. Returns what the handler raised, but raises ServerUnavailable and Fenced."""
        if unanswered := self.park_mail.outstanding.get(mail.event_id):
            return self.park_mail.result_of(unanswered, mail.event_id)
        try:
            event = parse(message)
            if self.ledger.has(event):
                return None
            if mail.is_exhausted(self.park_mail.policy):
                return InDoubt(mail.reason)
            self.handlers[mail.topic](event)
        except (ServerUnavailable, Fenced):
            raise
        except Exception as failure:
            return failure
        return None
