"""The account that placed an order."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAddress:
    """The e-mail address that an account had at the time `at`, and whether it was verified. None: not known."""

    email: str
    verified: bool | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """The account that placed an order. `address` is None once the account was deleted."""

    user_id: str
    username: str
    address: MailAddress | None

    @property
    def email(self) -> str | None:
        """The e-mail address, None once the account was deleted."""
        return self.address.email if self.address else None

    def reached_at(self, other: MailAddress | None) -> Self:
        """The customer with the later one of two addresses. A deleted account has none."""
        if self.address is None or other is None:
            return self
        is_later = self.address.at is None or (other.at is not None and other.at >= self.address.at)
        return replace(self, address=other) if is_later else self


def erased_name(user_id: str) -> str:
    """What replaces the username of a deleted account."""
    return f"gone-{user_id}"
