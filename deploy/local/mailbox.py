"""The mails in the mail catcher, read through its API: sendria's in the local stack, mailpit's in Compose."""

import email
import email.policy
import time
from email.message import EmailMessage
from typing import NamedTuple
from urllib.parse import quote

from deploy.local.errors import LocalError, NotReady
from deploy.local.probe import Answer, call


class CaughtMail(NamedTuple):
    """A mail as it arrived."""

    subject: str
    text: str
    html: str
    message_id: str


class Mailbox:
    """The mails of one catcher that arrive after the creation of this object. The catcher may hold older ones."""

    def __init__(self, page_port: int) -> None:
        self._port = page_port
        self._since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 2))  # the catcher's clock is UTC
        self._is_mailpit: bool | None = None

    def find(self, recipient: str) -> list[CaughtMail]:
        """The mails to one address, in the order of their arrival. Raises LocalError when the catcher is unavailable."""
        if self._is_mailpit is None:
            self._is_mailpit = self._get("/api/v1/info").status == 200
        pages = self._in_mailpit(recipient) if self._is_mailpit else self._in_sendria(recipient)
        return [_read(self._get(page).body) for page in pages]

    def _in_mailpit(self, recipient: str) -> list[str]:
        """mailpit has a search. Its results are newest first."""
        query = quote(f'to:"{recipient}"')
        found = self._get(f"/api/v1/search?limit=200&query={query}").json["messages"]
        return [f"/api/v1/message/{mail['ID']}/raw" for mail in reversed(found)]

    def _in_sendria(self, recipient: str) -> list[str]:
        """sendria has pages only, newest first. A mail that arrives now moves others to the next page, hence the set."""
        found: set[int] = set()
        page = pages = 1
        while page <= pages:
            answer = self._get(f"/api/messages/?page={page}").json
            pages = answer.get("meta", {}).get("pages_total", 1)
            found |= {mail["id"] for mail in answer["data"] if recipient in mail["recipients_envelope"]}
            if answer["data"] and answer["data"][-1]["created_at"] < self._since:
                break
            page += 1
        return [f"/api/messages/{number}.source" for number in sorted(found)]

    def _get(self, path: str) -> Answer:
        try:
            return call(self._port, "GET", path)
        except NotReady as error:
            raise LocalError(f"the mail catcher is unavailable: {error}") from None


def _read(source: bytes) -> CaughtMail:
    message = email.message_from_bytes(source, policy=email.policy.default)
    text, html = (_part(message, kind) for kind in ("plain", "html"))
    return CaughtMail(str(message["Subject"]), text, html, str(message["Message-ID"]))


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return str(body.get_content()) if body else ""
