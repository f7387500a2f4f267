"""Domain errors: what a use case refuses, and why. They know nothing of HTTP (`libs.web.problems` gives them a status).

DomainError            kind + code + title, one class each in a service's domain/errors.py
├── NotAuthenticated   no valid access token
│   └── InvalidToken   a token was sent, and it is not valid
├── NotAllowed         the caller lacks the role
├── Invalid            fields were refused, with `errors`
│   └── Repeated       a name or a parameter is there more than once
├── LimitReached       too many of something in a time, with the seconds until the next
├── NoRoom             the database's disk is full: no outage, so the circuit breaker ignores it
└── Unavailable        a server that this service needs does not answer
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum, auto

RETRY_AFTER_SECONDS = 2


class ErrorKind(StrEnum):
    """What went wrong, in general. Clients see the `code`; the kind decides the HTTP status."""

    INVALID = auto()
    UNAUTHENTICATED = auto()
    FORBIDDEN = auto()
    MISSING = auto()
    CONFLICT = auto()
    STALE = auto()
    TOO_LARGE = auto()
    WRONG_MEDIA_TYPE = auto()
    IMPOSSIBLE = auto()
    TOO_MANY = auto()
    UNAVAILABLE = auto()
    NO_ROOM = auto()


class DomainError(Exception):
    """Base of all errors that a client may see. A subclass is a row of three attributes.

    `retry_after_seconds`: when a client should try again, None when a retry does not help.
    """

    kind: ErrorKind = ErrorKind.INVALID
    code: str = "invalid"
    title: str = "Invalid request"
    retry_after_seconds: int | None = None

    def __init__(self, detail: str | None = None, **extra: object) -> None:
        """`detail` describes this case. `extra` members are added to the problem document."""
        super().__init__(detail or self.title)
        self.detail, self.extra = detail, extra


class NotAuthenticated(DomainError):
    kind, code, title = ErrorKind.UNAUTHENTICATED, "not-authenticated", "A valid access token is required"


class InvalidToken(NotAuthenticated):
    """The request has an access token that is malformed, expired or revoked. RFC 6750 3.1: `invalid_token`."""


class NotAllowed(DomainError):
    kind, code, title = ErrorKind.FORBIDDEN, "not-allowed", "Your account may not do this"


class LimitReached(DomainError):
    """A limit of a time is reached. The next attempt is possible in `seconds`."""

    kind = ErrorKind.TOO_MANY

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.retry_after_seconds = max(1, math.ceil(seconds))


class Unavailable(DomainError):
    kind, code = ErrorKind.UNAVAILABLE, "unavailable"
    title = "A server that this service needs is unavailable. Try again soon"
    retry_after_seconds = RETRY_AFTER_SECONDS


class NoRoom(DomainError):
    kind, code, title = ErrorKind.NO_ROOM, "no-room", "The database's disk is full. Reading still works"


class Invalid(DomainError):
    """Fields that were refused. `errors` is a list of `{field, code, message}`."""

    kind, code, title = ErrorKind.INVALID, "invalid", "Some fields are not valid"

    def __init__(self, errors: Sequence[Mapping[str, str]]) -> None:
        self.errors = list(errors)
        super().__init__(errors=self.errors)

    @classmethod
    def field(cls, field: str, code: str, message: str) -> "Invalid":
        """One refused field."""
        return cls([{"field": field, "code": code, "message": message}])


class Repeated(Invalid):
    """Names in an object, or parameters of a query string, that are there more than once. Servers differ in which one counts."""

    code, title = "repeated", "A name or a parameter is repeated"

    @classmethod
    def fields(cls, names: Iterable[str]) -> "Repeated":
        """These names are repeated."""
        return cls([{"field": name, "code": "repeated", "message": "Send it once"} for name in dict.fromkeys(names)])
