"""E-mail addresses: shown as given, compared by their key.

The key has one form of each mailbox: without white space around it, in NFC, in lower case, and with its domain by IDNA 2008 as
Unicode (RFC 5891). Lower case is no case folding: straße and strasse are two mailboxes.
"""

import unicodedata
from dataclasses import dataclass
from typing import Self

import idna


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """`text` is the address as given. Two addresses with the same `key` are the same mailbox."""

    text: str
    key: str

    @classmethod
    def of(cls, text: str) -> Self:
        """The address that was given, without white space around it."""
        return cls(text.strip(), email_key(text))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EmailAddress) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def email_key(text: str) -> str:
    """The form in which addresses are compared. It takes any text, so the beginning of an address has a key too.

    A domain that IDNA 2008 refuses stays as it is, in lower case.
    """
    local, at, domain = _lower(text.strip()).rpartition("@")
    return local + at + (_unicode_domain(domain) if at else domain)


def mailbox_key(text: str) -> str:
    """The key without a tag: many servers deliver `ada+lists@example.com` to `ada@example.com` (RFC 5233). Limits count by it."""
    local, at, domain = email_key(text).rpartition("@")
    return (local.partition("+")[0] or local) + at + domain


def spellings(text: str) -> list[str]:
    """The key of an address, the key with an ASCII domain, and the address as given, as far as they differ in more than case.

    A search uses them where addresses are stored as given, and where case makes no difference.
    """
    key = email_key(text)
    local, at, domain = key.rpartition("@")
    return list(dict.fromkeys((key, local + at + _ascii_domain(domain) if at else key, text.strip().lower())))


def _lower(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def _unicode_domain(domain: str) -> str:
    """The domain with U-labels. UTS 46 maps upper case and full-width letters and dots first, as RFC 5895 does."""
    try:
        return idna.decode(idna.encode(domain, uts46=True))
    except UnicodeError:
        return domain


def _ascii_domain(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode()
    except UnicodeError:
        return domain
