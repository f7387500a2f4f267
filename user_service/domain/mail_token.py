"""Tokens for links in mails: to verify an address, or to reset a password. 256 random bits, stored as a hash, valid once."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Self

from user_service.domain.user import User

MailTokenKind = Literal["reset", "verify"]
LIFETIMES: Mapping[MailTokenKind, timedelta] = {"reset": timedelta(hours=1), "verify": timedelta(days=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailToken:
    """A token for one account at one address. `hash` is the hexadecimal SHA-256 of its text.

    `reissue_of`: the id of the event whose mail was dead-lettered, for a token that was issued in place of it.
    """

    kind: MailTokenKind
    user_id: str
    email_key: str
    hash: str
    expires_at: datetime
    reissue_of: str | None = None

    @classmethod
    def issue(
        cls, kind: MailTokenKind, *, user_id: str, email_key: str, at: datetime, reissue_of: str | None = None
    ) -> tuple[Self, str]:
        """A new token, and its text for the mail."""
        text = secrets.token_urlsafe(32)
        token = cls(
            kind=kind,
            user_id=user_id,
            email_key=email_key,
            hash=token_hash(text),
            expires_at=at + LIFETIMES[kind],
            reissue_of=reissue_of,
        )
        return token, text

    def matches(self, user: User) -> bool:
        """True when the account is active and still has the address that the token was sent to."""
        return user.active and (user.id, user.email.key) == (self.user_id, self.email_key)


def ended_links(before: User, after: User) -> frozenset[MailTokenKind]:
    """The kinds of links that a change of an account ends, for good.

    A new password ends the links to set one, and a verified address those to verify it. Another address, a lock or a deletion ends
    all links.
    """
    if before.email != after.email or not after.active:
        return frozenset(LIFETIMES)
    ended: set[MailTokenKind] = set()
    if before.password_hash != after.password_hash:
        ended.add("reset")
    if after.email_verified and not before.email_verified:
        ended.add("verify")
    return frozenset(ended)


def token_hash(text: str) -> str:
    """The hash by which a token is stored and found."""
    return hashlib.sha256(text.encode()).hexdigest()
