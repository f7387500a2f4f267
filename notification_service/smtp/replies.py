"""What a reply of an SMTP server, or none, means for a mail. It depends on the phase. The texts hold no address.

SmtpDown      no reply, or the server, its login or its certificate is at fault: the next mail would fail, too
SessionRefused       the server ended a new session by its greeting (421): it may have enough of them
TransientFailure     the mail is put off: a temporary failure of this recipient or this message
PermanentFailure     a permanent failure of this recipient or this message
InDoubt              the final dot was sent, and no answer came: the server may have the mail

| phase | 4xx | 421, no reply | 5xx |
| session: connection to MAIL | unavailable | unavailable | unavailable (552: refused) |
| recipient: RCPT | put off | put off | refused (530: unavailable) |
| message: DATA and the block | put off | put off | refused (530: unavailable) |
| answer to the final dot | put off (421 too) | in doubt | refused |
"""

import smtplib
import ssl
from typing import Literal

from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from notification_service.domain.failures import InDoubt

LOGIN_REQUIRED = 530  # RFC 4954 6: concerns the connection, whichever command it replies to
TOO_LARGE = 552  # RFC 5321 4.2.2: the reply to a SIZE in MAIL FROM that the server does not take


class SmtpDown(ServerUnavailable):
    """The SMTP server took no mail, and would take no other one. `kind`: of the mail that it was to take."""

    kind = ""


class SessionRefused(SmtpDown):
    """The SMTP server ended a session by its greeting."""


Phase = Literal["session", "recipient", "message", "answer"]
Failure = SmtpDown | TransientFailure | PermanentFailure | InDoubt


def classify(error: OSError, phase: Phase) -> Failure:
    """What an error of smtplib, ssl or the socket means for the mail in this phase."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            (reply,) = error.recipients.values()
            return _by_code(reply[0], "the recipient")
        case smtplib.SMTPSenderRefused(smtp_code=code):  # the shop's own address, so all mails fail, but for the size
            if code == TOO_LARGE:
                return PermanentFailure(f"the SMTP server refused the message ({code})")
            return SmtpDown(f"the SMTP server refused the sender ({code})")
        case smtplib.SMTPDataError(smtp_code=code):
            return _by_code(code, "the message")
        case smtplib.SMTPAuthenticationError():
            return SmtpDown("the SMTP server refused the login")
        case smtplib.SMTPNotSupportedError():
            return SmtpDown("the SMTP server offers no STARTTLS or no login")
        case smtplib.SMTPResponseException(smtp_code=code):
            return _by_phase(phase, f"the SMTP server ended the connection ({code})")
    return _by_phase(phase, _connection_error(error))


def classify_answer(code: int) -> Failure | None:
    """What the code of an answer to the final dot means for the mail. None: the server took it."""
    if 200 <= code < 300:
        return None
    if 400 <= code < 500:
        return TransientFailure(f"the SMTP server deferred the message ({code})")
    if 500 <= code < 600:
        return PermanentFailure(f"the SMTP server refused the message ({code})")
    return _by_phase("answer", f"the SMTP server gave an unknown answer ({code})")


def _by_code(code: int, what: str) -> Failure:
    if code == LOGIN_REQUIRED:
        return SmtpDown(f"the SMTP server requires a login ({code})")
    if code < 500:  # smtplib's -1 stands for a reply without a code
        return TransientFailure(f"the SMTP server deferred {what} ({code})")
    return PermanentFailure(f"the SMTP server refused {what} ({code})")


def _by_phase(phase: Phase, reason: str) -> Failure:
    if phase == "session":
        return SmtpDown(reason)
    return InDoubt(reason) if phase == "answer" else TransientFailure(reason)


def _connection_error(error: OSError) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return "the SMTP server's certificate is not valid"
        case TimeoutError() | smtplib.SMTPServerDisconnected(__context__=TimeoutError()):
            return "the SMTP server does not reply in time"
        case smtplib.SMTPServerDisconnected() | ConnectionResetError() | BrokenPipeError():
            return "the SMTP server closed the connection without a reply"
        case ConnectionRefusedError():
            return "the SMTP server refused the connection"
    return f"the SMTP server cannot be reached ({type(error).__name__})"
