"""The events this service owns."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from libs.messaging.envelope import EventData
from libs.values.times import rfc3339


class _Snapshot(EventData):
    id: str
    username: str
    email: str
    roles: list[str]
    active: bool
    created_at: str

    @classmethod
    def of(cls, user: Mapping[str, Any]) -> Self:
        """From a user as MongoDB holds it."""
        return cls(
            id=str(user["_id"]),
            username=user["username"],
            email=user["email"],
            roles=user["roles"],
            active=user["active"],
            created_at=rfc3339(user["created_at"]),
        )


class UserRegistered(_Snapshot):
    topic: ClassVar[str] = "user-registered"


class UserUpdated(_Snapshot):
    topic: ClassVar[str] = "user-updated"


class UserDeleted(EventData):
    topic: ClassVar[str] = "user-deleted"
    id: str
    deleted_at: str

    @classmethod
    def of(cls, user: Mapping[str, Any]) -> Self:
        """From a user as MongoDB holds it."""
        return cls(id=str(user["_id"]), deleted_at=rfc3339(user["deleted_at"]))


class UserMailRequested(EventData):
    """Holds a token that opens the account: the topic is kept for an hour, and nothing logs it."""

    topic: ClassVar[str] = "user-mail-requested"
    kind: Literal["reset", "verify"]
    user_id: str
    email: str
    username: str
    token: str
    expires_at: str


class UserRevocations(EventData):
    """Tokens issued before `not_before` (ms since the epoch) are void, all of the user's or those of one session."""

    topic: ClassVar[str] = "user-revocations"
    user_id: str
    sid: str | None
    not_before: int
