"""A mail that is ready to be sent."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mail:
    """A composed mail to one recipient."""

    kind: str
    order_id: str | None
    message_id: str
    to: str
    subject: str
    text: str
    html: str
