"""Send the mail of an event."""

from dataclasses import dataclass
from datetime import UTC, datetime

from libs.messaging.envelope import Event
from libs.runtime.logs import get_logger
from notification_service.domain.mail import LinkContent, MailContent, SentMail
from notification_service.rendering.composer import Composer
from notification_service.smtp.mailer import Mailer
from notification_service.store.accounts import AccountView
from notification_service.store.mail_ledger import MailLedger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMail:
    """The use case with what it works on."""

    composer: Composer
    mailer: Mailer
    ledger: MailLedger
    accounts: AccountView

    def __call__(self, event: Event, *, kind: str, recipient: str | None, user_id: str, content: MailContent) -> None:
        """Compose the mail, send it and record it, unless it is in the ledger. An event has one mail.

        The mail is skipped when it has no recipient, when the account `user_id` is deleted, and when its link has expired.
        Raises ServerUnavailable, TransientFailure or PermanentFailure.
        """
        if recipient is None or self.accounts.is_deleted(user_id):
            log.info("mail skipped", reason="account deleted")
            return
        if isinstance(content, LinkContent) and content.expires_at < datetime.now(UTC):
            log.info("mail skipped", reason="link expired")
            return
        mail = self.composer.compose(kind, event_id=event.id, recipient=recipient, content=content)

        def send() -> SentMail:
            self.mailer.send(mail)
            return SentMail(event_id=event.id, kind=mail.kind, order_id=mail.order_id, sent_at=datetime.now(UTC))

        self.ledger.send_once(event, send)
