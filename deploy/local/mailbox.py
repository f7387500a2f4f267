"""Reading the mails that the catcher took, over its API: sendria's in the local stack, mailpit's in Compose."""

from __future__ import annotations

import email
import email.policy
import time
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import quote

from deploy.local.client import Answer, call
from deploy.local.errors import LocalError, NotReady


@dataclass(frozen=True)
class CaughtMail:
    """A mail as it arrived."""

    subject: str
    text: str
    html: str
    message_id: str


class Mailbox:
    """The mails of one catcher that came after this object was made: the catcher may keep the older ones for ever."""

    def __init__(self, page_port: int) -> None:
        self._port = page_port
        self._since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 2))  # the catcher's clock is UTC
        self._is_mailpit: bool | None = None

    def find(self, recipient: str) -> list[CaughtMail]:
        """The mails to one address, in the order in which they came. Raises LocalError when the catcher is away."""
        if self._is_mailpit is None:
            self._is_mailpit = self._get("/api/v1/info").status == 200
        pages = self._in_mailpit(recipient) if self._is_mailpit else self._in_sendria(recipient)
        return [_read(self._get(page).body) for page in pages]

    def _in_mailpit(self, recipient: str) -> list[str]:
        """The catcher of Compose: it searches by itself, newest first."""
        query = quote(f'to:"{recipient}"')
        found = self._get(f"/api/v1/search?limit=200&query={query}").json["messages"]
        return [f"/api/v1/message/{mail['ID']}/raw" for mail in reversed(found)]

    def _in_sendria(self, recipient: str) -> list[str]:
        """The catcher of the local stack. A set: a mail that comes in while we turn pages moves others onto the next page."""
        found: set[int] = set()
        page = pages = 1
        while page <= pages:
            answer = self._get(f"/api/messages/?page={page}").json
            pages = answer.get("meta", {}).get("pages_total", 1)
            found |= {mail["id"] for mail in answer["data"] if recipient in mail["recipients_envelope"]}
            if answer["data"] and answer["data"][-1]["created_at"] < self._since:  # newest first
                break
            page += 1
        return [f"/api/messages/{number}.source" for number in sorted(found)]

    def _get(self, path: str) -> Answer:
        try:
            return call(self._port, "GET", path)
        except NotReady as error:
            raise LocalError(f"the mail catcher is away: {error}") from None


def _read(source: bytes) -> CaughtMail:
    message = email.message_from_bytes(source, policy=email.policy.default)
    return CaughtMail(
        subject=str(message["Subject"]),
        text=_part(message, "plain"),
        html=_part(message, "html"),
        message_id=str(message["Message-ID"]),
    )


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return str(body.get_content()) if body else ""
