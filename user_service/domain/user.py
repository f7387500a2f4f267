"""An account: who a user is, what the user may do, and how an account changes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, EmailStr, StringConstraints

from libs.values.email_address import EmailAddress
from user_service.domain.second_factor import SecondFactor

MAX_EMAIL_CHARACTERS = 254  # RFC 5321: a path has at most 256 octets, its angle brackets included


def _check_length(email: str) -> str:
    if len(email) > MAX_EMAIL_CHARACTERS:
        raise ValueError(f"at most {MAX_EMAIL_CHARACTERS} characters")
    return email


Username = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{3,30}$")]
Email = Annotated[EmailStr, AfterValidator(_check_length)]


def username_key(username: str) -> str:
    """The form in which usernames are compared."""
    return username.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account. `version` is the number of its events. `offered_secret` belongs to an authenticator that is not confirmed.

    An erased account has `deleted_at`, no roles, and empty texts for its address and its password hash.
    """

    id: str
    username: str
    email: EmailAddress
    password_hash: str
    roles: tuple[str, ...] = ()
    active: bool = True
    email_verified: bool = False
    second_factor: SecondFactor | None = None
    offered_secret: str | None = None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    version: int = 0

    def with_email(self, email: EmailAddress) -> Self:
        """The account with another address, which is not verified yet."""
        return replace(self, email=email, email_verified=False)

    def with_roles(self, roles: Iterable[str]) -> Self:
        """The account with exactly these roles."""
        return replace(self, roles=tuple(roles))

    def disabled(self) -> Self:
        """The account without access."""
        return replace(self, active=False)

    def with_second_factor(self, factor: SecondFactor) -> Self:
        """The account with a confirmed authenticator, or with the state of it after a code was used."""
        return replace(self, second_factor=factor, offered_secret=None)

    def without_second_factor(self) -> Self:
        """The account whose logins need no code."""
        return replace(self, second_factor=None, offered_secret=None)

    def erased(self, *, at: datetime) -> Self:
        """The account without personal data: only its id and its times are kept."""
        bare = replace(self.disabled().without_second_factor(), roles=(), email_verified=False)
        return replace(bare, username=f"gone-{self.id}", email=EmailAddress.of(""), password_hash="", deleted_at=at)

    def effective_roles(self, *, second_factor_required: bool) -> tuple[str, ...]:
        """The roles for an access token. Where a second factor is required, roles count only with one."""
        return self.roles if self.second_factor or not second_factor_required else ()
