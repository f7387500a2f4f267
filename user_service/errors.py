"""Domain errors: kind + code + title; chassis.errors says how they look on the wire."""

from chassis.errors import DomainError, Kind


class EmailTaken(DomainError):
    kind, code, title = Kind.CONFLICT, "email-taken", "There is an account with this e-mail address"


class UsernameTaken(DomainError):
    kind, code, title = Kind.CONFLICT, "username-taken", "There is an account with this username"


class WrongCredentials(DomainError):
    kind, code, title = Kind.UNAUTHENTICATED, "wrong-credentials", "E-mail address or password is wrong"


class UnknownUser(DomainError):
    kind, code, title = Kind.MISSING, "unknown-user", "There is no such user"


class OwnAccount(DomainError):
    kind, code, title = Kind.CONFLICT, "own-account", "You can't lock yourself out: ask another admin"
