"""Domain errors and their one shape on the wire, RFC 9457 problem details.

DomainError            kind + code + title, one class each in a service's errors.py
├── NotAuthenticated   401
├── NotAllowed         403
├── Invalid            400, with `errors`
├── NoRoom             507, a disk is full: no outage, so the breaker stays out of it
└── Unavailable        503, a server behind is away
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

RETRY_AFTER_SECONDS = 2


class ErrorKind(IntEnum):
    """What went wrong, as the status code that says so."""

    INVALID = 400
    UNAUTHENTICATED = 401
    FORBIDDEN = 403
    MISSING = 404
    CONFLICT = 409
    STALE = 412
    TOO_LARGE = 413
    WRONG_MEDIA_TYPE = 415
    IMPOSSIBLE = 422
    TOO_MANY = 429
    UNAVAILABLE = 503
    NO_ROOM = 507


class DomainError(Exception):
    """Base of all errors that a client may see; a subclass is a row of three attributes."""

    kind: ErrorKind = ErrorKind.INVALID
    code: str = "invalid"
    title: str = "Invalid request"

    def __init__(self, detail: str | None = None, **extra: Any) -> None:
        """`detail` says what is special about this case; `extra` members are added to the problem."""
        super().__init__(detail or self.title)
        self.detail, self.extra = detail, extra

    @property
    def headers(self) -> dict[str, str]:
        """Response headers that belong to the error."""
        if self.kind is ErrorKind.UNAUTHENTICATED:
            return {"WWW-Authenticate": "Bearer"}
        return {"Retry-After": str(RETRY_AFTER_SECONDS)} if self.kind is ErrorKind.UNAVAILABLE else {}


class NotAuthenticated(DomainError):
    kind, code, title = ErrorKind.UNAUTHENTICATED, "not-authenticated", "A valid access token is required"


class NotAllowed(DomainError):
    kind, code, title = ErrorKind.FORBIDDEN, "not-allowed", "Your account may not do this"


class Unavailable(DomainError):
    kind, code, title = ErrorKind.UNAVAILABLE, "unavailable", "A server behind this service is away; try again soon"


class NoRoom(DomainError):
    kind, code, title = ErrorKind.NO_ROOM, "no-room", "The database's disk is full; reading still works"


class Invalid(DomainError):
    """Fields that were refused; `errors` is a list of `{field, code, message}`."""

    kind, code, title = ErrorKind.INVALID, "invalid", "Some fields are not valid"

    def __init__(self, errors: Sequence[Mapping[str, str]]) -> None:
        super().__init__(errors=list(errors))

    @classmethod
    def field(cls, field: str, code: str, message: str) -> "Invalid":
        """One refused field."""
        return cls([{"field": field, "code": code, "message": message}])


def field_errors(errors: Sequence[Any]) -> list[dict[str, str]]:
    """Pydantic's error list (`ValidationError.errors()`) as `{field, code, message}` rows."""
    return [
        {"field": ".".join(map(str, e["loc"])), "code": e["type"].replace("_", "-"), "message": e["msg"]}
        for e in errors
    ]
