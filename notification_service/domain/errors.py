"""Domain errors: kind, code and title of each. libs.values.errors defines their JSON shape."""

from libs.values.errors import DomainError, ErrorKind, LimitReached, Unavailable


class MailRefused(DomainError):
    kind, code, title = ErrorKind.IMPOSSIBLE, "mail-refused", "The SMTP server refused the mail"


class SmtpUnavailable(Unavailable):
    code, title = "smtp-away", "The SMTP server cannot take the mail now. Try again in a few seconds."


class TooManyMails(LimitReached):
    """An address got as many test mails as it may."""

    code, title = "too-many-mails", "This address got too many test mails. Try again later"


class UnknownMail(DomainError):
    kind, code, title = ErrorKind.MISSING, "unknown-mail", "There is no mail of this kind"
