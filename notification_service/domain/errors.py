"""Domain errors: kind + code + title; libs.values.errors says how they look on the wire."""

from libs.values.errors import DomainError, ErrorKind, Unavailable


class MailRefused(DomainError):
    kind, code, title = ErrorKind.IMPOSSIBLE, "mail-refused", "The SMTP server refused the mail"


class SmtpAway(Unavailable):
    code, title = "smtp-away", "The SMTP server can't take the mail now; try again soon"


class UnknownMail(DomainError):
    kind, code, title = ErrorKind.MISSING, "unknown-mail", "There is no such kind of mail"
