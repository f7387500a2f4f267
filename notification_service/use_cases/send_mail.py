"""Send the mail of an event."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from libs.messaging.envelope import Event
from libs.messaging.failures import ServerUnavailable
from libs.runtime import spans
from libs.runtime.logs import get_logger
from notification_service.domain.mail import LinkContent, MailContent, SentMail
from notification_service.rendering.composer import Composer
from notification_service.smtp.mailer import AnswerOutstanding, Mailer
from notification_service.smtp.metrics import count_mail
from notification_service.store.accounts import AccountView
from notification_service.store.mail_ledger import MailLedger
from notification_service.store.recipient_limit import RecipientLimit

log = get_logger(__name__)

LINK_MARGIN = timedelta(seconds=60)  # a link that a recipient cannot use in time is no use
RECORD_SECONDS = 1.0


class Unanswered(Exception):
    """The SMTP server has the mail's final dot and has not answered it. `settle` waits for the answer and records the mail.

    `settle` raises TransientFailure, PermanentFailure or InDoubt.
    """

    def __init__(self, settle: Callable[[], None]) -> None:
        super().__init__("the SMTP server has not answered yet")
        self.settle = settle


class MailSender(Protocol):
    """Sends the mail of an event. `limited`: its address was never verified, so its mails are limited."""

    def __call__(
        self, event: Event, *, kind: str, recipient: str | None, user_id: str, content: MailContent, limited: bool
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMail:
    """The use case with what it works on."""

    composer: Composer
    mailer: Mailer
    ledger: MailLedger
    accounts: AccountView
    limit: RecipientLimit

    def __call__(
        self, event: Event, *, kind: str, recipient: str | None, user_id: str, content: MailContent, limited: bool
    ) -> None:
        """Compose the mail, send it and record it, unless it is in the ledger. An event has one mail.

        The mail is skipped when it has no recipient, when the account `user_id` is deleted, and when its link expires within 60 s.
        A `limited` mail beyond the recipient's limit is suppressed: it is recorded and not sent.
        Raises ServerUnavailable, TransientFailure, PermanentFailure, InDoubt or Unanswered.
        """
        if recipient is None or self.accounts.is_deleted(user_id):
            log.info("mail skipped", reason="account deleted")
            return
        if isinstance(content, LinkContent) and content.expires_at < datetime.now(UTC) + LINK_MARGIN:
            count_mail(kind, "expired")
            log.info("mail skipped", reason="link expired")
            return
        trace_id = event.trace.trace_id if event.trace else None
        mail = self.composer.compose(kind, event_id=event.id, recipient=recipient, content=content, trace_id=trace_id)

        counted_for = self.limit.key_of(recipient) if limited else None

        def sent(outcome: Literal["sent", "suppressed"] = "sent") -> SentMail:
            now, counted = datetime.now(UTC), counted_for if outcome == "sent" else None
            record = SentMail(event_id=event.id, kind=mail.kind, order_id=mail.order_id, sent_at=now)
            return replace(record, outcome=outcome, counted_for=counted)

        def send() -> SentMail:
            if counted_for and not self.limit.take(counted_for, event.id):
                count_mail(kind, "suppressed")
                log.info("mail suppressed", kind=kind)
                return sent("suppressed")
            with spans.span("send mail", "client", {"shop.mail.kind": kind}):
                self.mailer.send(mail)
            return sent()

        def settle(late: AnswerOutstanding) -> None:
            late.answer.wait()
            while True:
                try:
                    self.ledger.send_once(event, sent)
                    return
                except ServerUnavailable:  # the record is still queued; the mail stays parked until it is written
                    time.sleep(RECORD_SECONDS)

        try:
            self.ledger.send_once(event, send)
        except AnswerOutstanding as late:
            outstanding = late
            raise Unanswered(lambda: settle(outstanding)) from None


@dataclass(frozen=True, slots=True)
class SendAndWait:
    """Send a mail for a command, which can wait: it returns when the answer of the SMTP server came."""

    send_mail: SendMail

    def __call__(
        self, event: Event, *, kind: str, recipient: str | None, user_id: str, content: MailContent, limited: bool
    ) -> None:
        try:
            self.send_mail(event, kind=kind, recipient=recipient, user_id=user_id, content=content, limited=limited)
        except Unanswered as unanswered:
            unanswered.settle()
