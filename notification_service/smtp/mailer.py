"""Sends mails over kept SMTP connections, and remembers the result of the last one.

returns              the server took the mail, whatever fails afterwards
SmtpDown      the server did not take it, and would not take another one
SessionRefused       the server ended one more session by its greeting, while others work
TransientFailure     the server puts off this mail
PermanentFailure     the server refuses this mail for good
InDoubt              the connection ended between the final dot and its answer: the server may have the mail
AnswerOutstanding    no answer to the final dot came within 3 s; it may still come

RFC 5321 4.5.3.2.6 gives a server 10 minutes for its answer to the final dot. A mail that waits so long holds no other mail.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import flask_mail

from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from libs.runtime.health import CheckFailed
from libs.runtime.logs import get_logger
from libs.values.times import rfc3339
from notification_service.domain.failures import InDoubt
from notification_service.domain.mail import Mail
from notification_service.smtp.connection_pool import ConnectionPool, SmtpConnection
from notification_service.smtp.metrics import count_mail, observe_sent
from notification_service.smtp.mime import sender_header, to_bytes
from notification_service.smtp.replies import SessionRefused, SmtpDown

log = get_logger(__name__)

FAILURES = (SmtpDown, SessionRefused, TransientFailure, PermanentFailure, InDoubt)

SMTP_SECONDS = 15.0
PATIENCE_SECONDS = 3.0  # with SMTP_SECONDS under the 20 s for which a consumer waits that loses its partitions
ANSWER_SECONDS = 600.0
MAX_LATE_ANSWERS = 16  # answers that are awaited longer than PATIENCE_SECONDS; each holds a connection and a thread
ROOM_SECONDS = 5.0
REFUSING_EVERYBODY = 5  # so many recipients put off in a row are no fault of the recipients


class AnswerOutstanding(Exception):
    """The final dot of a mail was sent, and its answer is late. `answer` waits for it."""

    def __init__(self, answer: "LateAnswer") -> None:
        super().__init__("the SMTP server has not answered yet")
        self.answer = answer


class LateAnswer:
    """The late answer to the final dot of one mail. Call either method once."""

    def __init__(self, mailer: "Mailer", mail: Mail, connection: SmtpConnection, deadline: float) -> None:
        self._mailer, self._mail, self._connection, self._deadline = mailer, mail, connection, deadline

    @property
    def seconds(self) -> float:
        """How long the answer may still take."""
        return max(0.0, self._deadline - time.monotonic())

    def wait(self) -> None:
        """Wait for the rest of ANSWER_SECONDS. Returns, or raises, as Mailer.send does, but for AnswerOutstanding."""
        self._mailer._finish(self._mail, self._connection, self._deadline)

    def abandon(self) -> None:
        """Close the connection."""
        self._mailer._release(self._connection, usable=False)


class Mailer:
    """Sends mails from any thread. Each thread has its own connection while it sends."""

    def __init__(
        self,
        settings: flask_mail.Mail,
        *,
        sender: tuple[str, str],
        smtp_seconds: float = SMTP_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        concurrency: int = 4,
        international: bool = False,
    ) -> None:
        """`settings`: the server, how to secure the connection, and the login. `sender`: the shop's name and address.
        `smtp_seconds`: for a mail up to its final dot. `answer_seconds`: for the answer to that dot.
        `international`: send mails to addresses whose local part is not ASCII, if the server takes them.
        `concurrency`: how many mails are sent at once. MAX_LATE_ANSWERS may be outstanding beside them."""
        self._settings, self._pool = settings, ConnectionPool()
        self._sender, self._from = sender[1], sender_header(*sender)
        self.smtp_seconds, self.answer_seconds = smtp_seconds, answer_seconds
        self._international = international
        self._room = threading.BoundedSemaphore(concurrency + MAX_LATE_ANSWERS)
        self._state: dict[str, object] = {"status": "unknown", "reason": None, "at": None}
        self._put_off, self._lock = set[str](), threading.Lock()
        self.answers = 0
        """How many mails the server took, put off or refused."""
        self._sessions = 0  # with a mail right now

    @property
    def refuses_everybody(self) -> bool:
        """True when the server put off five different recipients in a row. The next mail that it takes ends it."""
        return len(self._put_off) >= REFUSING_EVERYBODY

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

    def send(
        self,
        mail: Mail,
        *,
        seconds: float | None = None,
        patience: float = PATIENCE_SECONDS,
        before_dot: Callable[[], None] = lambda: None,
    ) -> None:
        """Send `mail`: up to its final dot within `seconds`, including the connection, then await the answer for `patience`.

        `before_dot` is called before the final dot. What it raises ends the session without the dot.
        Raises SmtpDown, TransientFailure, PermanentFailure, InDoubt or AnswerOutstanding. Raises ServerUnavailable when too many
        answers are outstanding.
        """
        if not (self._international or mail.recipient.isascii()):
            raise PermanentFailure("mails to international addresses are off (SMTP_UTF8)")
        content, seconds = to_bytes(mail, self._from), seconds or self.smtp_seconds
        if not self._room.acquire(timeout=ROOM_SECONDS):
            raise ServerUnavailable("the SMTP server has not answered many mails yet")
        try:
            connection = self._send(mail.recipient, content, time.monotonic() + seconds, before_dot)
        except BaseException as failure:
            self._room.release()
            if isinstance(failure, SmtpDown):
                failure.kind = mail.kind
            if isinstance(failure, FAILURES):
                self._count(mail, failure)
            raise
        sent_at = time.monotonic()
        if not self._finish(mail, connection, sent_at + patience, last=False):
            raise AnswerOutstanding(LateAnswer(self, mail, connection, sent_at + self.answer_seconds))

    def _send(self, recipient: str, content: bytes, deadline: float, before_dot: Callable[[], None]) -> SmtpConnection:
        """Send the mail with its final dot. Returns the connection, for the answer."""
        if kept := self._pool.take():
            try:
                self._send_over(kept, recipient, content, deadline, before_dot)
                return kept
            except SmtpDown:  # servers end connections that were idle or had their maximum of mails
                if time.monotonic() > deadline:
                    raise
        connection = self._connect(deadline)
        self._send_over(connection, recipient, content, deadline, before_dot)
        return connection

    def _connect(self, deadline: float) -> SmtpConnection:
        try:
            return SmtpConnection(self._settings, deadline)
        except SessionRefused as refused:
            if self._sessions or self._pool.size:  # other sessions work
                raise
            raise SmtpDown(str(refused)) from None

    def _send_over(
        self,
        connection: SmtpConnection,
        recipient: str,
        content: bytes,
        deadline: float,
        before_dot: Callable[[], None],
    ) -> None:
        with self._lock:
            self._sessions += 1
        try:
            connection.send_bytes(
                content, sender=self._sender, recipient=recipient, deadline=deadline, before_dot=before_dot
            )
        except BaseException:
            self._keep(connection, usable=connection.usable)
            raise
        finally:
            with self._lock:
                self._sessions -= 1

    def _finish(self, mail: Mail, connection: SmtpConnection, deadline: float, *, last: bool = True) -> bool:
        """Await the answer to the final dot until `deadline`. False: it is outstanding; with `last` that is InDoubt."""
        try:
            if not connection.await_answer(deadline - time.monotonic()):
                if not last:
                    return False
                raise InDoubt("the SMTP server does not reply in time")
        except FAILURES as failure:
            self._release(connection, usable=connection.usable)
            self._count(mail, failure)
            raise
        except BaseException:
            self._release(connection, usable=False)
            raise
        self._release(connection, usable=connection.usable)
        self._count(mail, None)
        log.info("mail sent", kind=mail.kind, message_id=mail.message_id)
        return True

    def _release(self, connection: SmtpConnection, *, usable: bool) -> None:
        self._room.release()
        self._keep(connection, usable=usable)

    def _keep(self, connection: SmtpConnection, *, usable: bool) -> None:
        if usable:
            self._pool.put(connection)
        else:
            connection.host.close()

    def _count(self, mail: Mail, failure: Exception | None) -> None:
        """Remember the outcome of a mail: None when the server took it."""
        with self._lock:
            self.answers += not isinstance(failure, SmtpDown)
            if failure is None:
                self._put_off.clear()
            elif isinstance(failure, TransientFailure) and not self.refuses_everybody:
                self._put_off.add(mail.recipient)
        if failure is None:
            observe_sent(mail)
            self._remember("ok", None)
            return
        if isinstance(failure, PermanentFailure):
            count_mail(mail.kind, "refused")
        if self.refuses_everybody and isinstance(failure, TransientFailure):
            self._remember("down", f"the SMTP server puts off every recipient: {failure}")
        else:
            self._remember("down" if isinstance(failure, SmtpDown) else "ok", str(failure))

    def _remember(self, status: str, reason: str | None) -> None:
        self._state = {"status": status, "reason": reason, "at": rfc3339(datetime.now(UTC))}
