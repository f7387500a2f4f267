"""SMTP sessions that are kept for the next mail: a new one costs more than the mail itself, a login and TLS far more.

Flask-Mail's own connection has no timeout, checks no certificate, and takes an error at QUIT, after the server took the mail,
for a mail that was not sent.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import flask_mail

from libs.messaging.failures import PermanentFailure
from notification_service.config import Config
from notification_service.smtp.client import Smtp, make_tls_context
from notification_service.smtp.replies import explain

IDLE_SECONDS = 30.0  # RFC 5321 4.5.3.2.7 lets a server hang up after 5 minutes; many do much earlier
MOST_MAILS = 100  # several servers end a session after so many
QUIT_SECONDS = 2.0


class SmtpConnection(flask_mail.Connection):
    """One SMTP session; one mail at a time."""

    def __init__(self, mail: Any, config: Config, deadline: float) -> None:
        """Connect, secure the connection and log in, as `config` says, before `deadline` (of time.monotonic()).

        Raises ServerUnavailable.
        """
        super().__init__(mail)
        self._config, self.used_at = config, time.monotonic()
        with _explained():
            self.host: Smtp = self._open(deadline)

    def send(self, recipient: str, content: bytes, deadline: float) -> None:  # type: ignore[override] # one kind of mail
        """Send `content` to `recipient` before `deadline`. Raises ServerUnavailable, RetryLater or Refused."""
        self.host.limit(deadline)
        self.host.handed_over = False
        with _explained():
            self.host.ehlo_or_helo_if_needed()
            international = not recipient.isascii()
            if international and not self.host.has_extn("smtputf8"):
                raise PermanentFailure("the SMTP server takes no international addresses")
            options = ("SMTPUTF8", "BODY=8BITMIME") if international else ()  # RFC 6531 3.4
            self.host.sendmail(self._config.from_email, [recipient], content, options)
        self.num_emails += 1

    def quit(self) -> None:
        """Say good-bye, if the server still listens, and close."""
        self.host.limit(time.monotonic() + QUIT_SECONDS)
        with suppress(OSError):
            self.host.quit()
        self.host.close()

    def _open(self, deadline: float) -> Smtp:
        security = self._config.smtp_security
        tls = make_tls_context() if security == "tls" else None
        host = Smtp(self._config.smtp_server, self._config.smtp_port, deadline, tls)
        try:
            if security == "starttls":
                host.starttls(context=make_tls_context())
                host.limit(deadline)
            if security != "none":
                host.login(self._config.smtp_username, self._config.smtp_password.get_secret_value())
        except BaseException:
            host.close()
            raise
        return host


class ConnectionPool:
    """The sessions that no mail is using, the one used last on top. Those idle for half a minute are closed."""

    def __init__(self) -> None:
        self._idle: list[SmtpConnection] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def take(self) -> SmtpConnection | None:
        """A session to use alone, or None."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                session = self._idle.pop()
            if session.num_emails < MOST_MAILS:
                return session
            session.quit()  # here, and not after its last mail: nothing may come between a mail and its record

    def put(self, session: SmtpConnection) -> None:
        """Keep `session` for a later mail."""
        session.used_at = time.monotonic()
        with self._lock:
            self._idle.append(session)
            if self._timer is None:
                self._watch()

    def close(self, idle_seconds: float = 0.0) -> None:
        """Close the sessions that are idle for so long, or all."""
        with self._lock:
            self._timer = None
            latest = time.monotonic() - idle_seconds
            old = [session for session in self._idle if session.used_at <= latest]
            self._idle = [session for session in self._idle if session.used_at > latest]
            if self._idle:
                self._watch()
        for session in old:
            session.quit()

    def _watch(self) -> None:
        self._timer = threading.Timer(IDLE_SECONDS, self.close, [IDLE_SECONDS])
        self._timer.daemon = True
        self._timer.start()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:  # smtplib's errors are OSErrors, and hold the address
        raise explain(error) from None
