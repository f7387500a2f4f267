"""Domain errors: kind + code + title; libs.values.errors says how they look on the wire."""

import math

from libs.values.errors import DomainError, ErrorKind, Unavailable


class EmailTaken(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "email-taken", "There is an account with this e-mail address"


class UsernameTaken(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "username-taken", "There is an account with this username"


class WrongCredentials(DomainError):
    kind, code, title = ErrorKind.UNAUTHENTICATED, "wrong-credentials", "E-mail address or password is wrong"


class CodeRequired(DomainError):
    kind, code, title = (
        ErrorKind.UNAUTHENTICATED,
        "code-required",
        "Send the code of your authenticator, or a recovery code",
    )


class SessionEnded(DomainError):
    kind, code, title = ErrorKind.UNAUTHENTICATED, "session-ended", "This session has ended: log in again"


class TokenInvalid(DomainError):
    kind, code, title = ErrorKind.INVALID, "token-invalid", "The link was used, has expired or was never sent"


class UnknownSession(DomainError):
    kind, code, title = ErrorKind.MISSING, "unknown-session", "You have no such session"


class NoSecondFactor(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "no-second-factor", "The account has no authenticator to do that with"


class HasSecondFactor(DomainError):
    kind, code, title = (
        ErrorKind.CONFLICT,
        "has-second-factor",
        "The account has an authenticator already: take it off first",
    )


class TooManyHashes(Unavailable):
    code, title = "busy", "Too many people sign in right now; try again soon"


class TooManyAttempts(DomainError):
    """Of what is limited, there were as many as there may be; again in `seconds`."""

    kind, code, title = ErrorKind.TOO_MANY, "too-many-attempts", "Too many attempts; try again later"

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.retry_after_seconds = max(1, math.ceil(seconds))


class UnknownUser(DomainError):
    kind, code, title = ErrorKind.MISSING, "unknown-user", "There is no such user"


class OwnAccount(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "own-account", "You can't lock yourself out: ask another admin"
