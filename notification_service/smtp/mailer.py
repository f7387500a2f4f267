"""Sends mails by Flask-Mail, over sessions that are kept, and remembers how the last one went.

accepted             the server took the mail, whatever happens afterwards
ServerUnavailable    it did not, or its answer to the message was lost. The mail is sent again, under the same Message-ID
TransientFailure     it refuses this mail for now
PermanentFailure     it refuses this mail for good
"""

import time
from datetime import UTC, datetime
from email.utils import formataddr
from typing import Any

import flask_mail
from prometheus_client import Counter

from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from libs.runtime.health import CheckFailed
from libs.runtime.logs import get_logger
from libs.values.times import rfc3339
from notification_service.config import Config
from notification_service.domain.mail import Mail
from notification_service.smtp.connection_pool import ConnectionPool, SmtpConnection
from notification_service.smtp.mime import to_bytes

log = get_logger(__name__)

SENT = Counter("mails_sent", "Mails that the SMTP server took", ["kind"])
FAILED = Counter("mail_failures", "Mails that the SMTP server did not take", ["kind", "outcome"])
OUTCOMES = {ServerUnavailable: "away", TransientFailure: "later", PermanentFailure: "refused"}

ATTEMPT_SECONDS = 18.0  # 20 are promised, and a consumer that loses its partitions waits 20 for what it has in hand


class Mailer:
    """Sends mails from any thread; each thread has a session of its own while it sends."""

    def __init__(self, config: Config) -> None:
        self._config, self._sessions = config, ConnectionPool()
        self._mail = flask_mail.Mail().init_mail({})
        self._sender = formataddr((config.shop_name, config.from_email))
        self._state: dict[str, Any] = {"status": "unknown", "reason": None, "at": None}

    def status(self) -> dict[str, Any]:
        """How the last mail went: status (unknown, ok, down), reason, at."""
        return self._state

    def check(self) -> dict[str, Any]:
        """A health check: how the last mail went. Raises Down when the server was away."""
        state = self._state
        if state["status"] == "down":
            raise CheckFailed(state["reason"], at=state["at"])
        return {"lastMailAt": state["at"]}

    def close(self) -> None:
        """Close the sessions that no mail is using."""
        self._sessions.close()

    def send(self, mail: Mail, seconds: float = ATTEMPT_SECONDS) -> None:
        """Send `mail` within `seconds`, connecting included. Raises ServerUnavailable, RetryLater or Refused."""
        try:
            self._deliver(mail.to, to_bytes(mail, self._sender), time.monotonic() + seconds)
        except (ServerUnavailable, TransientFailure, PermanentFailure) as failure:
            self._remember("down" if isinstance(failure, ServerUnavailable) else "ok", str(failure))
            FAILED.labels(mail.kind, OUTCOMES[type(failure)]).inc()
            raise
        self._remember("ok", None)
        SENT.labels(mail.kind).inc()
        log.info("mail sent", kind=mail.kind, message_id=mail.message_id)

    def _deliver(self, to: str, content: bytes, deadline: float) -> None:
        if kept := self._sessions.take():
            try:
                self._send_over(kept, to, content, deadline)
                return
            except ServerUnavailable:  # servers end sessions that were idle, or had their share of mails
                if kept.host.handed_over or time.monotonic() > deadline:
                    raise
        self._send_over(SmtpConnection(self._mail, self._config, deadline), to, content, deadline)

    def _send_over(self, session: SmtpConnection, to: str, content: bytes, deadline: float) -> None:
        sound = False
        try:
            session.send(to, content, deadline)
            sound = True
        except (TransientFailure, PermanentFailure):  # the session itself is in order
            sound = True
            raise
        finally:
            if sound:
                self._sessions.put(session)
            else:
                session.host.close()

    def _remember(self, status: str, reason: str | None) -> None:
        self._state = {"status": status, "reason": reason, "at": rfc3339(datetime.now(UTC))}
