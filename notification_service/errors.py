"""Domain errors: kind + code + title; chassis.errors says how they look on the wire."""

from chassis.errors import DomainError, Kind, Unavailable


class MailRefused(DomainError):
    kind, code, title = Kind.IMPOSSIBLE, "mail-refused", "The SMTP server refused the mail"


class SmtpAway(Unavailable):
    code, title = "smtp-away", "The SMTP server can't take the mail now; try again soon"


class UnknownMail(DomainError):
    kind, code, title = Kind.MISSING, "unknown-mail", "There is no such kind of mail"
