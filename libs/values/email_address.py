"""E-mail addresses: shown as entered, compared by their key."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """`text` is the address as entered. Two addresses with the same `key` are the same mailbox."""

    text: str
    key: str

    @classmethod
    def of(cls, text: str) -> Self:
        """The address that was entered."""
        return cls(text, email_key(text))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EmailAddress) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def email_key(text: str) -> str:
    """The form in which addresses are compared."""
    return text.casefold()
