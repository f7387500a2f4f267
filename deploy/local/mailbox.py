"""Reading the mails that the catcher took, over its API."""

from __future__ import annotations

import email
import email.policy
import json
import time
from dataclasses import dataclass
from email.message import EmailMessage

from deploy.local.client import call
from deploy.local.errors import LocalError, NotReady


@dataclass(frozen=True)
class CaughtMail:
    """A mail as it arrived."""

    subject: str
    text: str
    html: str
    message_id: str


class Mailbox:
    """The mails of one catcher that came after this object was made: the catcher keeps the older ones for ever."""

    def __init__(self, page_port: int) -> None:
        self._port = page_port
        self._since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 2))  # the catcher's clock is UTC

    def find(self, recipient: str) -> list[CaughtMail]:
        """The mails to one address, in the order in which they came. Raises LocalError when the catcher is away."""
        return [self._read(number) for number in sorted(self._numbers(recipient))]

    def _numbers(self, recipient: str) -> set[int]:
        """A set: a mail that comes in while we turn pages moves others onto the next page."""
        found: set[int] = set()
        page = pages = 1
        while page <= pages:
            answer = json.loads(self._get(f"/api/messages/?page={page}"))
            pages = answer.get("meta", {}).get("pages_total", 1)
            found |= {mail["id"] for mail in answer["data"] if recipient in mail["recipients_envelope"]}
            if answer["data"] and answer["data"][-1]["created_at"] < self._since:  # newest first
                break
            page += 1
        return found

    def _read(self, number: int) -> CaughtMail:
        source = self._get(f"/api/messages/{number}.source")
        message = email.message_from_bytes(source, policy=email.policy.default)
        return CaughtMail(
            subject=str(message["Subject"]),
            text=_part(message, "plain"),
            html=_part(message, "html"),
            message_id=str(message["Message-ID"]),
        )

    def _get(self, path: str) -> bytes:
        try:
            return call(self._port, "GET", path).body
        except NotReady as error:
            raise LocalError(f"the mail catcher is away: {error}") from None


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return str(body.get_content()) if body else ""
