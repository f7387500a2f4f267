"""JSON that goes out."""

from collections.abc import Iterable
from typing import Any, Literal

from libs.values.schema import StrictModel
from notification_service.domain.mail import Mail


class TestMailSent(StrictModel):
    status: Literal["sent"]
    to: str
    message_id: str


class Preview(StrictModel):
    kind: str
    subject: str
    html: str
    text: str


class PreviewPage(StrictModel):
    next: None
    previous: None
    results: list[Preview]


def to_test_mail_sent(mail: Mail) -> dict[str, Any]:
    """A test mail that the SMTP server took, as TestMailSent."""
    return {"status": "sent", "to": mail.recipient, "messageId": mail.message_id}


def to_preview(mail: Mail) -> dict[str, Any]:
    """A mail as Preview."""
    return {"kind": mail.kind, "subject": mail.subject, "html": mail.html, "text": mail.text}


def to_preview_page(mails: Iterable[Mail]) -> dict[str, Any]:
    """All mails on one page, as PreviewPage."""
    return {"next": None, "previous": None, "results": [to_preview(mail) for mail in mails]}
