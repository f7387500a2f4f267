"""Send the mail of an event."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from libs.messaging.envelope import Event
from libs.runtime.logs import get_logger
from libs.runtime.steps import Steps
from libs.runtime.telemetry import spans
from notification_service.domain.mail import LinkContent, MailContent, SentMail
from notification_service.rendering.composer import Composer
from notification_service.smtp.mailer import PATIENCE_SECONDS, ROOM_SECONDS, AnswerOutstanding, Mailer
from notification_service.smtp.metrics import count_mail
from notification_service.store.accounts import AccountView
from notification_service.store.mail_ledger import ACKNOWLEDGED_SECONDS, MailLedger
from notification_service.store.recipient_limit import RecipientLimit
from notification_service.use_cases.late_answers import LateAnswers, Unanswered

log = get_logger(__name__)

LINK_MARGIN = timedelta(seconds=60)  # a link that a recipient cannot use in time is no use
RESOLVE_SECONDS = 30.0  # the system's own limit to find the server's address, which has no deadline


class Fence(Protocol):
    """Decides whether this process may still send the mail of an event."""

    def pass_(self, topic: str, partition: int) -> None:
        """Called before the final dot. Raises Fenced."""

    def is_current(self, topic: str, partition: int) -> bool:
        """True while this process handles the partition."""


class NoFence:
    """For a command, which is no member of the group."""

    def pass_(self, topic: str, partition: int) -> None:
        """Always."""

    def is_current(self, topic: str, partition: int) -> bool:
        """Always."""
        return True


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
    late_answers: LateAnswers
    fence: Fence
    steps: Steps

    def __call__(
        self, event: Event, *, kind: str, recipient: str | None, user_id: str, content: MailContent, limited: bool
    ) -> None:
        """Compose the mail, send it and record it, unless it is in the ledger. An event has one mail.

        The mail is skipped when it has no recipient, when the account `user_id` is deleted, and when its link expires within 60 s.
        A `limited` mail beyond the recipient's limit is suppressed: it is recorded and not sent.
        Raises ServerUnavailable, TransientFailure, PermanentFailure, InDoubt, Unanswered or Fenced.
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
            self.steps.begin(
                "send a mail", ROOM_SECONDS + RESOLVE_SECONDS + self.mailer.smtp_seconds + PATIENCE_SECONDS
            )
            with spans.span("send mail", "client", {"shop.mail.kind": kind}):
                self.mailer.send(mail, before_dot=lambda: self.fence.pass_(event.type, event.partition))
            self.steps.begin("record a mail", ACKNOWLEDGED_SECONDS)
            return sent()

        try:
            self.ledger.send_once(event, send)
        except AnswerOutstanding as late:
            raise self.late_answers.wait_for(event, late.answer, sent) from None


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
            unanswered.outcome.result()
