"""Domain errors: kind, code and title of each. libs.values.errors defines their JSON shape."""

import math

from libs.values.errors import DomainError, ErrorKind, Unavailable


class MailRefused(DomainError):
    kind, code, title = ErrorKind.IMPOSSIBLE, "mail-refused", "The SMTP server refused the mail"


class SmtpUnavailable(Unavailable):
    code, title = "smtp-away", "The SMTP server cannot take the mail now. Try again in a few seconds."


class TooManyMails(DomainError):
    """An address got as many test mails as it may. The next one is possible in `seconds`."""

    kind, code, title = ErrorKind.TOO_MANY, "too-many-mails", "This address got too many test mails. Try again later"

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.retry_after_seconds = max(1, math.ceil(seconds))


class UnknownMail(DomainError):
    kind, code, title = ErrorKind.MISSING, "unknown-mail", "There is no mail of this kind"
