"""What an SMTP server's answer, or none, means for a mail, in words that hold no address.

ServerUnavailable    no answer, or the server, its login or its certificate won't do: the next mail would fare no better
RetryLater    a temporary error of this recipient or this message
Refused       a permanent one
"""

import smtplib
import ssl

from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure

CLOSING = 421  # RFC 5321 4.2.2: the server closes the connection; concerns the session, whatever it answers to
LOGIN_REQUIRED = 530  # RFC 4954 6: likewise
TOO_LARGE = 552  # RFC 5321 4.2.2, in answer to the SIZE that MAIL FROM announces

Failure = ServerUnavailable | TransientFailure | PermanentFailure


def explain(error: OSError) -> Failure:
    """What an error of smtplib, ssl or the socket means for the mail."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            (answer,) = error.recipients.values()
            return _by_code(answer[0], "the recipient")
        case smtplib.SMTPSenderRefused(smtp_code=code):  # our own address: all mails are concerned, but for the size
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
            return ServerUnavailable(f"the SMTP server turned us away ({code})")
    return _by_connection(error)


def _by_code(code: int, what: str) -> Failure:
    if code in (CLOSING, LOGIN_REQUIRED) or code < 400:  # smtplib's -1 stands for an answer without a code
        return ServerUnavailable(f"the SMTP server turned us away ({code})")
    if code < 500:
        return TransientFailure(f"the SMTP server puts {what} off ({code})")
    return PermanentFailure(f"the SMTP server refused {what} ({code})")


def _by_connection(error: OSError) -> ServerUnavailable:
    match error:
        case ssl.SSLCertVerificationError():
            return ServerUnavailable("the SMTP server's certificate is not valid")
        case TimeoutError() | smtplib.SMTPServerDisconnected(__context__=TimeoutError()):
            return ServerUnavailable("the SMTP server does not answer in time")
        case smtplib.SMTPServerDisconnected():
            return ServerUnavailable("the SMTP server hung up")
        case ConnectionRefusedError():
            return ServerUnavailable("the SMTP server refused the connection")
    return ServerUnavailable(f"the SMTP server can't be reached ({type(error).__name__})")
