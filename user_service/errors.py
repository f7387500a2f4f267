"""Domain errors: kind + code + title; chassis.errors says how they look on the wire."""

import math

from chassis.errors import DomainError, Kind, Unavailable


class EmailTaken(DomainError):
    kind, code, title = Kind.CONFLICT, "email-taken", "There is an account with this e-mail address"


class UsernameTaken(DomainError):
    kind, code, title = Kind.CONFLICT, "username-taken", "There is an account with this username"


class WrongCredentials(DomainError):
    kind, code, title = Kind.UNAUTHENTICATED, "wrong-credentials", "E-mail address or password is wrong"


class CodeRequired(DomainError):
    kind, code, title = Kind.UNAUTHENTICATED, "code-required", "Send the code of your authenticator, or a recovery code"


class SessionEnded(DomainError):
    kind, code, title = Kind.UNAUTHENTICATED, "session-ended", "This session has ended: log in again"


class TokenInvalid(DomainError):
    kind, code, title = Kind.INVALID, "token-invalid", "The link was used, has expired or was never sent"


class UnknownSession(DomainError):
    kind, code, title = Kind.MISSING, "unknown-session", "You have no such session"


class NoSecondFactor(DomainError):
    kind, code, title = Kind.CONFLICT, "no-second-factor", "The account has no authenticator to do that with"


class HasSecondFactor(DomainError):
    kind, code, title = (
        Kind.CONFLICT,
        "has-second-factor",
        "The account has an authenticator already: take it off first",
    )


class TooManyHashes(Unavailable):
    code, title = "busy", "Too many people sign in right now; try again soon"


class TooManyAttempts(DomainError):
    """Of what is limited, there were as many as there may be; again in `seconds`."""

    kind, code, title = Kind.TOO_MANY, "too-many-attempts", "Too many attempts; try again later"

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = max(1, math.ceil(seconds))

    @property
    def headers(self) -> dict[str, str]:
        """When to come back."""
        return {"Retry-After": str(self.seconds)}


class UnknownUser(DomainError):
    kind, code, title = Kind.MISSING, "unknown-user", "There is no such user"


class OwnAccount(DomainError):
    kind, code, title = Kind.CONFLICT, "own-account", "You can't lock yourself out: ask another admin"
