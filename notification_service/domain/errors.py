"""Domain errors: kind, code and title of each. libs.values.errors defines their JSON shape."""

from libs.values.errors import DomainError, ErrorKind, Unavailable


class MailRefused(DomainError):
    kind, code, title = ErrorKind.IMPOSSIBLE, "mail-refused", "The SMTP server refused the mail"


class SmtpUnavailable(Unavailable):
    code, title = "smtp-away", "The SMTP server cannot take the mail now. Try again in a few seconds."


class UnknownMail(DomainError):
    kind, code, title = ErrorKind.MISSING, "unknown-mail", "There is no mail of this kind"
