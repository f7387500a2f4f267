"""The mails in the mail catcher, read through sendria's API."""

import email
import email.policy
import time
from typing import NamedTuple

from deploy.local.errors import LocalError, NotReady
from deploy.local.probe import Answer, call


class CaughtMail(NamedTuple):
    """A mail as it arrived."""

    subject: str
    text: str
    html: str
    message_id: str
    trace_id: str


class Mailbox:
    """The mails of one catcher that arrive after the creation of this object. The catcher may hold older ones."""

    def __init__(self, page_port: int) -> None:
        self._port = page_port
        self._since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 2))  # the catcher's clock is UTC

    def find(self, recipient: str) -> list[CaughtMail]:
        """The mails to one address, in the order of their arrival. Raises LocalError when the catcher is unavailable."""
        return [_read(self.get(path).body) for path in self.paths(recipient)]

    def paths(self, recipient: str) -> list[str]:
        """The paths of the mails to one address. The set is needed because a new mail moves others to the next page."""
        found: set[int] = set()
        page = pages = 1
        while page <= pages:
            answer = self.get(f"/api/messages/?page={page}").json
            pages = answer.get("meta", {}).get("pages_total", 1)
            found |= {mail["id"] for mail in answer["data"] if recipient in mail["recipients_envelope"]}
            if answer["data"] and answer["data"][-1]["created_at"] < self._since:
                break
            page += 1
        return [f"/api/messages/{number}.source" for number in sorted(found)]

    def get(self, path: str) -> Answer:
        """The response to one request. Raises LocalError when the catcher is unavailable."""
        try:
            return call(self._port, "GET", path)
        except NotReady as error:
            raise LocalError(f"the mail catcher is unavailable: {error}") from None


def _read(source: bytes) -> CaughtMail:
    message = email.message_from_bytes(source, policy=email.policy.default)
    bodies = (message.get_body((kind,)) for kind in ("plain", "html"))
    text, html = (str(body.get_content()) if body else "" for body in bodies)
    return CaughtMail(str(message["Subject"]), text, html, str(message["Message-ID"]), str(message["X-Trace-Id"]))
