"""A session: all tokens that come from one login."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from ulid import ULID

from user_service.domain.refresh_token import RefreshToken
from user_service.domain.user import User

MAX_SESSIONS = 100  # per account: a further login ends the oldest
MAX_USES = 20  # the last uses of refresh tokens that a session remembers


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Where a session was begun, so that its owner can recognise it. `agent` is the browser's User-Agent."""

    address: str
    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUse:
    """When the refresh token of a rotation was used."""

    rotation: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session. `id` is the `sid` of its tokens. `rotation` is the number of the refresh token that works.

    `uses`: the last uses of its tokens, the latest at the end.
    """

    id: str
    user_id: str
    rotation: int = 1
    device: Device
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    uses: tuple[TokenUse, ...] = ()

    @classmethod
    def begin(cls, user: User, device: Device, *, at: datetime, lifetime: timedelta) -> Self:
        """A new session that lasts for `lifetime` at most."""
        return cls(
            id=str(ULID.from_datetime(at)),
            user_id=user.id,
            device=device,
            created_at=at,
            refreshed_at=at,
            expires_at=at + lifetime,
        )

    @property
    def refresh_token(self) -> RefreshToken:
        """The refresh token that works now."""
        return RefreshToken(sid=self.id, rotation=self.rotation)

    def after_use_of(self, token: RefreshToken, *, since: datetime) -> Self | None:
        """The session as it was after the first use of `token`. None unless that was after `since`."""
        if any(use.rotation == token.rotation and use.at > since for use in self.uses):
            return replace(self, rotation=token.rotation + 1)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenGrant:
    """What a pair of tokens is made from. `issued_at`: ms since the epoch, read before the account was."""

    user: User
    session: Session
    issued_at: int
