"""The events that the service publishes."""

from datetime import datetime
from typing import ClassVar, Literal, Self

from libs.messaging.envelope import EventData
from libs.values.times import rfc3339, to_ms
from user_service.domain.mail_token import MailToken, MailTokenKind
from user_service.domain.user import User

NoticeKind = Literal["password-changed", "email-changed", "authenticator-added", "authenticator-removed"]


class _Snapshot(EventData):
    id: str
    username: str
    email: str
    roles: list[str]
    active: bool
    email_verified: bool
    created_at: str

    @classmethod
    def of(cls, user: User) -> Self:
        """The event with the account as it is now."""
        return cls(
            id=user.id,
            username=user.username,
            email=user.email.text,
            roles=list(user.roles),
            active=user.active,
            email_verified=user.email_verified,
            created_at=rfc3339(user.created_at),
        )


class UserRegistered(_Snapshot):
    """An account was created."""

    topic: ClassVar[str] = "user-registered"


class UserUpdated(_Snapshot):
    """The name, address, roles or activity of an account changed, or its address was verified. Also the reply to a request."""

    topic: ClassVar[str] = "user-updated"


class UserDeleted(EventData):
    """An account was erased."""

    topic: ClassVar[str] = "user-deleted"
    id: str
    deleted_at: str

    @classmethod
    def of(cls, user: User) -> Self:
        """The event of an erased account."""
        assert user.deleted_at
        return cls(id=user.id, deleted_at=rfc3339(user.deleted_at))


class UserMailRequested(EventData):
    """A mail with a link is to be sent. The token opens the account, so Kafka keeps the topic for 1 h and no log shows it."""

    topic: ClassVar[str] = "user-mail-requested"
    kind: MailTokenKind
    user_id: str
    email: str
    username: str
    token: str
    expires_at: str

    @classmethod
    def of(cls, user: User, token: MailToken, text: str) -> Self:
        """The event for a new mail token and its text."""
        return cls(
            kind=token.kind,
            user_id=user.id,
            email=user.email.text,
            username=user.username,
            token=text,
            expires_at=rfc3339(token.expires_at),
        )


class UserNoticeRequested(EventData):
    """The owner of an account is to be informed of a change by mail."""

    topic: ClassVar[str] = "user-notice-requested"
    user_id: str
    kind: NoticeKind
    email: str
    username: str
    occurred_at: str

    @classmethod
    def of(cls, user: User, kind: NoticeKind, *, at: datetime) -> Self:
        """The event for the address of `user`. After a change of the address, `user` is the account before it."""
        return cls(user_id=user.id, kind=kind, email=user.email.text, username=user.username, occurred_at=rfc3339(at))


class UserRevocations(EventData):
    """Tokens issued before `not_before` (ms since the epoch) are void: all of the user's, or those of the session `sid`."""

    topic: ClassVar[str] = "user-revocations"
    user_id: str
    sid: str | None
    not_before: int

    @classmethod
    def of(cls, user_id: str, sid: str | None = None, *, at: datetime, newest: int) -> Self:
        """The event that ends all tokens issued until `at`, which is read after the writes that tokens can conflict with.

        `newest`: when the newest of these tokens was issued, in ms since the epoch. It is later than `at` when the database's clock
        was set back since, or when another of its servers has become primary.
        """
        return cls(user_id=user_id, sid=sid, not_before=max(to_ms(at), newest) + 1)
