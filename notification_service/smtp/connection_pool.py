"""SMTP connections that are kept for the next mail. A new one costs more than the mail itself, with TLS and a login far more.

Flask-Mail holds the settings, the connection and its count of mails. Its way to connect and to send is replaced: it has no
timeout and verifies no certificate, and it reports an error at QUIT as a mail that was not sent.
"""

import smtplib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import flask_mail

from libs.messaging.failures import PermanentFailure, TransientFailure
from notification_service.smtp.client import CLOSING, Smtp, make_tls_context
from notification_service.smtp.replies import Phase, SessionRefused, classify, classify_answer

IDLE_SECONDS = (
    30.0  # RFC 5321 4.5.3.2.7 lets a server close an idle connection after 5 minutes; many do so much earlier
)
MAX_MAILS = 100  # per connection; several servers end a connection after so many
QUIT_SECONDS = 2.0


class SmtpConnection(flask_mail.Connection):
    """One SMTP connection. It sends one mail at a time."""

    host: Smtp

    def __init__(self, settings: flask_mail.Mail, deadline: float) -> None:
        """Connect, start TLS and log in, as the settings say, before `deadline` (of time.monotonic()).

        Raises SmtpDown, or SessionRefused.
        """
        super().__init__(settings)
        self.usable = True
        self.used_at, self._deadline = time.monotonic(), deadline
        with _classified_errors("session"):
            self.host = self.configure_host()

    def configure_host(self) -> Smtp:
        """The connected server. Raises OSError."""
        settings = self.mail
        tls = make_tls_context() if settings.use_ssl else None
        try:
            host = Smtp(settings.server, settings.port, self._deadline, tls)
        except smtplib.SMTPConnectError as refused:
            if refused.smtp_code != CLOSING:
                raise
            raise SessionRefused(f"the SMTP server ended the connection ({CLOSING})") from None
        try:
            if settings.use_tls:
                host.starttls(context=make_tls_context())
                host.limit(self._deadline)
            if settings.username and settings.password:
                host.login(settings.username, settings.password)
        except BaseException:
            host.close()
            raise
        return host

    def send_bytes(
        self, content: bytes, *, sender: str, recipient: str, deadline: float, before_dot: Callable[[], None]
    ) -> None:
        """Send a message with its final dot before `deadline`. `await_answer` has the server's answer.

        Raises SmtpDown, TransientFailure or PermanentFailure, without the dot having been sent, or InDoubt. Also raises
        what `before_dot` raises, without the dot.
        `usable` is false afterwards when the connection can send no other mail.
        """
        self.usable = False
        self.host.limit(deadline)
        try:
            self._send_envelope(sender, recipient, len(content))
            with _classified_errors("message"):
                self.host.request_data()
                self.host.send_block(content)
        except (TransientFailure, PermanentFailure):
            self._reset()
            raise
        before_dot()
        with _classified_errors("answer"):
            self.host.send_dot()

    def await_answer(self, seconds: float) -> bool:
        """Wait for the answer to the final dot. False: there is none yet. True: the server took the message.

        Raises TransientFailure, PermanentFailure or InDoubt.
        """
        with _classified_errors("answer"):
            try:
                code = self.host.await_answer(time.monotonic() + seconds)
            except TimeoutError:
                return False
        self.usable = code != CLOSING
        if failure := classify_answer(code):
            raise failure
        self.num_emails += 1
        return True

    def _send_envelope(self, sender: str, recipient: str, size: int) -> None:
        with _classified_errors("session"):
            self.host.ehlo_or_helo_if_needed()
            international = not recipient.isascii()
            if international and not self.host.has_extn("smtputf8"):
                raise PermanentFailure("the SMTP server takes no international addresses")
            options = ["SMTPUTF8", "BODY=8BITMIME"] if international else []  # RFC 6531 3.4
            if self.host.has_extn("size"):
                options.append(f"SIZE={size}")
            self.host.begin_message(sender, recipient, options)
        with _classified_errors("recipient"):
            self.host.name_recipient(recipient)

    def _reset(self) -> None:
        """End a refused mail, so that the connection can send the next one. `usable` says whether it can."""
        with suppress(OSError):
            self.usable = self.host.sock is not None and self.host.rset()[0] == 250

    def quit(self) -> None:
        """Send QUIT and close the connection, whether the server replies or not."""
        self.host.limit(time.monotonic() + QUIT_SECONDS)
        with suppress(OSError):
            self.host.quit()
        self.host.close()


class ConnectionPool:
    """The connections that no mail uses, the one that was used last on top. It closes those that are idle for 30 s."""

    def __init__(self) -> None:
        self._idle: list[SmtpConnection] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    @property
    def size(self) -> int:
        """How many connections no mail uses."""
        return len(self._idle)

    def take(self) -> SmtpConnection | None:
        """A connection for the caller alone, or None."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if connection.num_emails < MAX_MAILS:
                return connection
            connection.quit()  # here and not after its last mail, so that nothing comes between a mail and its record

    def put(self, connection: SmtpConnection) -> None:
        """Keep `connection` for a later mail."""
        connection.used_at = time.monotonic()
        with self._lock:
            self._idle.append(connection)
            if self._timer is None:
                self._start_timer()

    def close(self, idle_seconds: float = 0.0) -> None:
        """Close the connections that are idle for `idle_seconds`. 0 closes all."""
        with self._lock:
            self._timer = None
            latest = time.monotonic() - idle_seconds
            old = [connection for connection in self._idle if connection.used_at <= latest]
            self._idle = [connection for connection in self._idle if connection.used_at > latest]
            if self._idle:
                self._start_timer()
        for connection in old:
            connection.quit()

    def _start_timer(self) -> None:
        self._timer = threading.Timer(IDLE_SECONDS, self.close, [IDLE_SECONDS])
        self._timer.daemon = True
        self._timer.start()


@contextmanager
def _classified_errors(phase: Phase) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # smtplib's errors are OSErrors; their texts hold the address
        raise classify(error, phase) from None
