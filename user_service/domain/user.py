"""An account: who a user is, what the user may do, and how an account changes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Self

from email_validator import validate_email
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError, PydanticKnownError

from libs.values.email_address import EmailAddress
from libs.values.errors import Invalid
from libs.values.text import Matching
from user_service.domain.known_addresses import address_hash, with_address
from user_service.domain.second_factor import APPROVAL_LIFETIME, SecondFactor, SecretOffer

MAX_EMAIL_CHARACTERS = 254  # RFC 5321: a path has at most 256 octets, its angle brackets included


def _require_one_address(text: str) -> str:
    """The address as given, without white space around it. Raises ValueError for anything but one address (RFC 5321).

    Display names, comments, quoted local parts, IP addresses, and domains that IDNA 2008 refuses are no address here.
    """
    address = text.strip()
    if len(address) > MAX_EMAIL_CHARACTERS:
        raise PydanticKnownError("string_too_long", {"max_length": MAX_EMAIL_CHARACTERS})
    try:
        validate_email(
            address, check_deliverability=False, strict=True
        )  # strict: a local part of at most 64 characters
    except ValueError:  # its text is the library's
        raise PydanticCustomError("invalid_email", "Enter one e-mail address, such as ada@example.com") from None
    return address


USERNAME = "Enter 3 to 30 letters, digits, dots, underscores or hyphens"
Username = Annotated[str, Matching(r"^[A-Za-z0-9._-]{3,30}$", "invalid-username", USERNAME)]
Email = Annotated[str, Field(json_schema_extra={"format": "email"}), AfterValidator(_require_one_address)]


def require_ascii_local_part(email: str) -> None:
    """Raise Invalid on `email` for an address that only servers with SMTPUTF8 take (RFC 6531)."""
    if not email.rpartition("@")[0].isascii():
        message = "The shop can't send mails to an address with such characters before the @"
        raise Invalid.field("email", "local-part-not-ascii", message)


def username_key(username: str) -> str:
    """The form in which usernames are compared."""
    return username.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account. `version` is the number of its events. `offered_secret` belongs to an authenticator that is not confirmed.

    Until `approved_until` one authenticator may be added where STAFF_TOTP=required. `known_addresses`: hashes of the client
    addresses that the account registered or signed in from.

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
    offer_expires_at: datetime | None = None
    approved_until: datetime | None = None
    known_addresses: tuple[str, ...] = ()
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    version: int = 0

    def with_email(self, email: EmailAddress) -> Self:
        """The account with this address. Another mailbox is not verified yet, another spelling of the same one stays as it was."""
        return replace(self, email=email, email_verified=self.email_verified and email == self.email)

    def with_roles(self, roles: Iterable[str]) -> Self:
        """The account with exactly these roles."""
        return replace(self, roles=tuple(roles))

    def disabled(self) -> Self:
        """The account without access. An authenticator that was offered or approved has to be so again."""
        return replace(self, active=False, offered_secret=None, offer_expires_at=None, approved_until=None)

    def with_offer(self, offer: SecretOffer) -> Self:
        """The account to which an authenticator is offered. The offer replaces one of before."""
        return replace(self, offered_secret=offer.secret, offer_expires_at=offer.expires_at)

    def secret_on_offer(self, *, at: datetime) -> str | None:
        """The secret that was offered, while the offer lasts."""
        lasts = self.offer_expires_at is not None and at < self.offer_expires_at
        return self.offered_secret if lasts else None

    def with_second_factor(self, factor: SecondFactor) -> Self:
        """The account with a confirmed authenticator. It ends the offer and the approval."""
        return replace(self.without_second_factor(), second_factor=factor)

    def without_second_factor(self) -> Self:
        """The account whose logins need no code."""
        return replace(self, second_factor=None, offered_secret=None, offer_expires_at=None, approved_until=None)

    def with_approval(self, *, at: datetime) -> Self:
        """The account to which one authenticator may be added from now on, for APPROVAL_LIFETIME."""
        return replace(self, approved_until=at + APPROVAL_LIFETIME)

    def needs_approval(self, *, second_factor_required: bool, at: datetime) -> bool:
        """True when an admin has to approve an authenticator first: its roles would count with it."""
        is_approved = self.approved_until is not None and at < self.approved_until
        return bool(self.roles) and second_factor_required and not is_approved

    def with_client_address(self, address: str) -> Self:
        """The account after it registered or signed in from this client address."""
        return replace(self, known_addresses=with_address(self.known_addresses, address_hash(self.id, address)))

    def knows_client_address(self, address: str) -> bool:
        """True when the account registered or signed in from this client address."""
        return address_hash(self.id, address) in self.known_addresses

    def erased(self, *, at: datetime) -> Self:
        """The account without personal data: only its id and its times are kept."""
        bare = replace(self.disabled().without_second_factor(), roles=(), email_verified=False, known_addresses=())
        return replace(bare, username=f"gone-{self.id}", email=EmailAddress.of(""), password_hash="", deleted_at=at)

    def effective_roles(self, *, second_factor_required: bool) -> tuple[str, ...]:
        """The roles for an access token. Where a second factor is required, roles count only with one."""
        return self.roles if self.second_factor or not second_factor_required else ()
