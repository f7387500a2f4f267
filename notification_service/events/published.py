"""The events that notification_service publishes."""

from typing import Literal, Self

from libs.messaging.envelope import EventData
from libs.values.times import rfc3339
from notification_service.domain.mail import SentMail


class MailSent(EventData):
    """The SMTP server took the mail of an event, or the mail was suppressed. The id of that event is the key."""

    topic = "mail-sent"
    kind: str
    order_id: str | None
    sent_at: str
    outcome: Literal["sent", "suppressed"]

    @classmethod
    def of(cls, mail: SentMail) -> Self:
        """The event of a sent mail."""
        return cls(kind=mail.kind, order_id=mail.order_id, sent_at=rfc3339(mail.sent_at), outcome=mail.outcome)


class UserLinkRequested(EventData):
    """The dead letter of a mail with a link was replayed. user_service answers if the link is still needed."""

    topic = "user-link-requested"
    user_id: str
    kind: Literal["reset", "verify"]
    event_id: str
    requested_at: str
