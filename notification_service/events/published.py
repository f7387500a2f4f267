"""The events that notification_service publishes."""

from libs.messaging.envelope import EventData


class MailSent(EventData):
    """The SMTP server took the mail of an event, whose id is the key."""

    topic = "mail-sent"
    kind: str
    order_id: str | None
    sent_at: str
