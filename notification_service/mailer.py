"""Sends mails by Flask-Mail, over a connection that can be trusted with them.

Flask-Mail's own connection has no timeout, checks no certificate, and takes an error at QUIT, after the server took the mail,
for a mail that was not sent. Ours knows three outcomes:

accepted      the server took the mail, whatever happens at QUIT
ServerAway    no answer, a temporary error, a refused login, sender or certificate: the next mail would fare no better
Refused       a permanent error on this recipient or this message
"""

import smtplib
import socket
import ssl
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from typing import Any

import flask_mail
from prometheus_client import Counter

from chassis.consumer import Refused, ServerAway
from chassis.envelope import rfc3339
from chassis.health import Down
from chassis.logs import get_logger
from notification_service.config import Config
from notification_service.mails import Mail

log = get_logger(__name__)

SENT = Counter("mails_sent", "Mails that the SMTP server took", ["kind"])
FAILED = Counter("mail_failures", "Mails that the SMTP server did not take", ["kind", "outcome"])

TIMEOUT_SECONDS = 10.0
LOGIN_REQUIRED = 530  # RFC 4954 6: concerns the session, not the recipient or message at hand
TOO_LARGE = 552  # RFC 5321 4.2.2, in answer to the SIZE that MAIL FROM announces


class Connection(flask_mail.Connection):
    """One SMTP session."""

    def __init__(self, mail: Any, config: Config, timeout_seconds: float) -> None:
        super().__init__(mail)
        self._config, self._timeout = config, timeout_seconds

    def configure_host(self) -> smtplib.SMTP:
        """Connect, secure the connection and log in, as the configuration says."""
        server, port, security = self._config.smtp_server, self._config.smtp_port, self._config.smtp_security
        name = _own_name()
        host: smtplib.SMTP
        if security == "tls":
            context = ssl.create_default_context()
            host = smtplib.SMTP_SSL(server, port, local_hostname=name, timeout=self._timeout, context=context)
        else:
            host = smtplib.SMTP(server, port, local_hostname=name, timeout=self._timeout)
        try:
            if security == "starttls":
                host.starttls(context=ssl.create_default_context())
            if security != "none":
                host.login(self._config.smtp_username, self._config.smtp_password.get_secret_value())
        except BaseException:
            host.close()
            raise
        return host

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        assert self.host
        try:
            if error is None:
                self.host.quit()
        except OSError:  # smtplib's errors are OSErrors; the server has the mail, and only the good-bye failed
            log.info("the SMTP server hung up early")
        finally:
            self.host.close()

    def send(self, message: flask_mail.Message, _envelope_from: Any = None) -> None:
        """Send `message` to its one recipient. Raises smtplib's errors, or Refused."""
        assert self.host
        (recipient,) = map(str, message.send_to)
        self.host.ehlo_or_helo_if_needed()
        if not recipient.isascii() and not self.host.has_extn("smtputf8"):
            raise Refused("the SMTP server takes no international addresses")
        self.host.send_message(_as_email(message), self._config.from_email, [recipient])


def _as_email(message: flask_mail.Message) -> EmailMessage:
    """`message` as multipart/alternative, by the standard library, which refuses line breaks in headers."""
    email = EmailMessage()
    email["From"] = message.sender
    email["To"] = message.recipients[0]
    email["Subject"] = message.subject
    email["Date"] = format_datetime(datetime.now(UTC))
    email["Message-ID"] = message.msgId
    email["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notices in answer
    email.set_content(message.body)
    email.add_alternative(message.html, subtype="html")
    return email


class Mailer:
    """Sends mails, one session each, and remembers how the last one went."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._mail = flask_mail.Mail().init_mail({})
        self._state: dict[str, Any] = {"status": "unknown", "reason": None, "at": None}

    def state(self) -> dict[str, Any]:
        """How the last mail went: status (unknown, ok, down), reason, at."""
        return self._state

    def check(self) -> dict[str, Any]:
        """A health check: how the last mail went. Raises Down when the server was away."""
        state = self._state
        if state["status"] == "down":
            raise Down(state["reason"], at=state["at"])
        return {"lastMailAt": state["at"]}

    def send(self, mail: Mail, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Send `mail`; each wait for the server ends after `timeout_seconds`. Raises ServerAway or Refused."""
        message = flask_mail.Message(
            subject=mail.subject,
            recipients=[mail.to],
            body=mail.text,
            html=mail.html,
            sender=str(Address(self._config.shop_name, addr_spec=self._config.from_email)),
        )
        message.msgId = mail.message_id
        try:
            with Connection(self._mail, self._config, timeout_seconds) as connection:
                connection.send(message)
        except (OSError, Refused) as error:  # smtplib's errors are OSErrors
            failure = explain(error)
            self._remember("down" if isinstance(failure, ServerAway) else "ok", str(failure))
            FAILED.labels(mail.kind, "away" if isinstance(failure, ServerAway) else "refused").inc()
            raise failure from None  # smtplib's errors hold the address
        self._remember("ok", None)
        SENT.labels(mail.kind).inc()
        log.info("mail sent", kind=mail.kind, message_id=mail.message_id)

    def _remember(self, status: str, reason: str | None) -> None:
        self._state = {"status": status, "reason": reason, "at": rfc3339(datetime.now(UTC))}


@cache
def _own_name() -> str:
    return socket.getfqdn()  # asks DNS, which may take seconds: once


def explain(error: OSError | Refused) -> ServerAway | Refused:
    """What an error of smtplib, ssl or the socket means for the mail, in words that hold no address."""
    match error:
        case Refused():
            return error
        case smtplib.SMTPRecipientsRefused():
            (answer,) = error.recipients.values()
            return _by_code(answer[0], "the recipient")
        case smtplib.SMTPSenderRefused(smtp_code=code):  # our own address: all mails are concerned, but for the size
            return (
                _by_code(code, "the message") if code == TOO_LARGE else ServerAway("the SMTP server refused the sender")
            )
        case smtplib.SMTPDataError(smtp_code=code):
            return _by_code(code, "the message")
        case smtplib.SMTPAuthenticationError():
            return ServerAway("the SMTP server refused the login")
        case smtplib.SMTPNotSupportedError():
            return ServerAway("the SMTP server offers no STARTTLS or no login")
        case smtplib.SMTPResponseException(smtp_code=code):
            return ServerAway(f"the SMTP server turned us away ({code})")
        case ssl.SSLCertVerificationError():
            return ServerAway("the SMTP server's certificate is not valid")
        case TimeoutError() | smtplib.SMTPServerDisconnected(__context__=TimeoutError()):
            return ServerAway("the SMTP server does not answer in time")
        case smtplib.SMTPServerDisconnected():
            return ServerAway("the SMTP server hung up")
        case ConnectionRefusedError():
            return ServerAway("the SMTP server refused the connection")
    return ServerAway(f"the SMTP server can't be reached ({type(error).__name__})")


def _by_code(code: int, what: str) -> ServerAway | Refused:
    if code >= 500 and code != LOGIN_REQUIRED:
        return Refused(f"the SMTP server refused {what} ({code})")
    return ServerAway(f"the SMTP server puts {what} off ({code})")
