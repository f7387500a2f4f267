"""Sends mails over kept SMTP connections, and remembers the result of the last one.

returns              the server took the mail, whatever fails afterwards
ServerUnavailable    the server did not take it, or its reply to the message was lost; send it again, under the same Message-ID
TransientFailure     the server refuses this mail for now
PermanentFailure     the server refuses this mail for good
"""

import time
from datetime import UTC, datetime
from email.utils import formataddr

import flask_mail
from prometheus_client import Counter

from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from libs.runtime.health import CheckFailed
from libs.runtime.logs import get_logger
from libs.values.times import rfc3339
from notification_service.domain.mail import Mail
from notification_service.smtp.connection_pool import ConnectionPool, SmtpConnection
from notification_service.smtp.mime import to_bytes

log = get_logger(__name__)

SENT = Counter("mails_sent", "Mails that the SMTP server took", ["kind"])
FAILED = Counter("mail_failures", "Mails that the SMTP server did not take", ["kind", "outcome"])
OUTCOMES = {ServerUnavailable: "away", TransientFailure: "later", PermanentFailure: "refused"}

ATTEMPT_SECONDS = 18.0  # under the 20 s for which a consumer that loses its partitions waits for events in flight


class Mailer:
    """Sends mails from any thread. Each thread has its own connection while it sends."""

    def __init__(self, settings: flask_mail.Mail, *, sender: tuple[str, str], smtp_utf8: bool = False) -> None:
        """`settings`: the server, how to secure the connection, and the login. `sender`: the shop's name and address.

        `smtp_utf8`: addresses that are not ASCII before the @ are sent to, if the server takes them (RFC 6531).
        """
        self._settings, self._pool = settings, ConnectionPool()
        self._smtp_utf8 = smtp_utf8
        self._sender, self._from = sender[1], formataddr(sender)
        self._state: dict[str, object] = {"status": "unknown", "reason": None, "at": None}

    def status(self) -> dict[str, object]:
        """The result of the last mail: `status` (unknown, ok, down), `reason`, `at`."""
        return self._state

    def check(self) -> dict[str, object]:
        """A health check: when the last mail was sent. Raises CheckFailed when the server was unavailable for it."""
        state = self._state
        if state["status"] == "down":
            raise CheckFailed(str(state["reason"]), at=state["at"])
        return {"lastMailAt": state["at"]}

    def close(self) -> None:
        """Close the connections that no mail uses."""
        self._pool.close()

    def send(self, mail: Mail, seconds: float = ATTEMPT_SECONDS) -> None:
        """Send `mail` within `seconds`, including the connection.

        Raises ServerUnavailable, TransientFailure or PermanentFailure.
        """
        try:
            if not (self._smtp_utf8 or mail.recipient.isascii()):
                raise PermanentFailure("international addresses need SMTP_UTF8=on")
            self._send(mail.recipient, to_bytes(mail, self._from), time.monotonic() + seconds)
        except (ServerUnavailable, TransientFailure, PermanentFailure) as failure:
            self._remember("down" if isinstance(failure, ServerUnavailable) else "ok", str(failure))
            FAILED.labels(mail.kind, OUTCOMES[type(failure)]).inc()
            raise
        self._remember("ok", None)
        SENT.labels(mail.kind).inc()
        log.info("mail sent", kind=mail.kind, message_id=mail.message_id)

    def _send(self, recipient: str, content: bytes, deadline: float) -> None:
        if kept := self._pool.take():
            try:
                self._send_over(kept, recipient, content, deadline)
                return
            except ServerUnavailable:  # servers end connections that were idle or had their maximum of mails
                if kept.host.data_sent or time.monotonic() > deadline:
                    raise
        self._send_over(SmtpConnection(self._settings, deadline), recipient, content, deadline)

    def _send_over(self, connection: SmtpConnection, recipient: str, content: bytes, deadline: float) -> None:
        usable = False
        try:
            connection.send_bytes(content, sender=self._sender, recipient=recipient, deadline=deadline)
            usable = True
        except (TransientFailure, PermanentFailure):  # of this mail; the connection works
            usable = True
            raise
        finally:
            if usable:
                self._pool.put(connection)
            else:
                connection.host.close()

    def _remember(self, status: str, reason: str | None) -> None:
        self._state = {"status": status, "reason": reason, "at": rfc3339(datetime.now(UTC))}
