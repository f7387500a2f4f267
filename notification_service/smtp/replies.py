"""What a reply of an SMTP server, or none, means for a mail. The texts hold no address.

ServerUnavailable    no reply, or the server, its login or its certificate is at fault: the next mail would fail, too
TransientFailure     a temporary failure of this recipient or this message
PermanentFailure     a permanent failure of this recipient or this message
"""

import smtplib
import ssl

from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure

CLOSING = 421  # RFC 5321 4.2.2: the server closes the connection, whichever command it replies to
LOGIN_REQUIRED = 530  # RFC 4954 6: concerns the connection, whichever command it replies to
TOO_LARGE = 552  # RFC 5321 4.2.2: the reply to a SIZE in MAIL FROM that the server does not take

Failure = ServerUnavailable | TransientFailure | PermanentFailure


def classify(error: OSError) -> Failure:
    """What an error of smtplib, ssl or the socket means for the mail."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            (reply,) = error.recipients.values()
            return _by_code(reply[0], "the recipient")
        case smtplib.SMTPSenderRefused(smtp_code=code):  # the shop's own address, so all mails fail, but for the size
            if code == TOO_LARGE:
                return PermanentFailure(f"the SMTP server refused the message ({code})")
            return ServerUnavailable(f"the SMTP server refused the sender ({code})")
        case smtplib.SMTPDataError(smtp_code=code):
            return _by_code(code, "the message")
        case smtplib.SMTPAuthenticationError():
            return ServerUnavailable("the SMTP server refused the login")
        case smtplib.SMTPNotSupportedError():
            return ServerUnavailable("the SMTP server offers no STARTTLS or no login")
        case smtplib.SMTPResponseException(smtp_code=code):
            return _ended(code)
    return _by_connection(error)


def _by_code(code: int, what: str) -> Failure:
    if code == LOGIN_REQUIRED:
        return ServerUnavailable(f"the SMTP server requires a login ({code})")
    if code == CLOSING or code < 400:  # smtplib's -1 stands for a reply without a code
        return _ended(code)
    if code < 500:
        return TransientFailure(f"the SMTP server deferred {what} ({code})")
    return PermanentFailure(f"the SMTP server refused {what} ({code})")


def _ended(code: int) -> ServerUnavailable:
    return ServerUnavailable(f"the SMTP server ended the connection ({code})")


def _by_connection(error: OSError) -> ServerUnavailable:
    match error:
        case ssl.SSLCertVerificationError():
            return ServerUnavailable("the SMTP server's certificate is not valid")
        case TimeoutError() | smtplib.SMTPServerDisconnected(__context__=TimeoutError()):
            return ServerUnavailable("the SMTP server does not reply in time")
        case smtplib.SMTPServerDisconnected():
            return ServerUnavailable("the SMTP server closed the connection without a reply")
        case ConnectionRefusedError():
            return ServerUnavailable("the SMTP server refused the connection")
    return ServerUnavailable(f"the SMTP server cannot be reached ({type(error).__name__})")
