"""Rules for passwords."""

import unicodedata
from functools import cache
from pathlib import Path
from typing import Annotated

from precis_i18n import get_profile
from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError, PydanticKnownError

from libs.values.email_address import EmailAddress, mailbox_key, spellings
from libs.values.errors import Invalid

MIN_CHARACTERS, MAX_CHARACTERS = 8, 128

_opaque_string = get_profile("OpaqueString")


def is_common(password: str) -> bool:
    """True for one of the 3,000 most common passwords of 8 or more characters. Case, spaces and width make no difference."""
    return _bare(password) in _most_common()


@cache
def _most_common() -> frozenset[str]:
    lines = Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(map(_bare, lines))


def opaque_string(password: str) -> str:
    """The form in which a password is set (RFC 8265 section 4.2): NFC, and a plain space for any other space.

    Raises ValueError for a character that a password may not have: control, invisible and unassigned ones.
    """
    return _opaque_string.enforce(password)


def password_forms(password: str) -> tuple[str, ...]:
    """What to compare with a hash: the form in which passwords are set, and the one typed, for hashes that are older."""
    try:
        return tuple(dict.fromkeys((opaque_string(password), password)))
    except ValueError:
        return (password,)


def _prepare(password: str) -> str:
    try:
        prepared = opaque_string(password)
    except ValueError:
        raise PydanticCustomError(
            "character-not-allowed", "This password has a character that is not allowed"
        ) from None
    if len(prepared) < MIN_CHARACTERS:
        raise PydanticKnownError("string_too_short", {"min_length": MIN_CHARACTERS})
    if is_common(prepared):
        raise PydanticCustomError("common-password", "This is one of the commonest passwords")
    return prepared


Password = Annotated[
    str, StringConstraints(min_length=MIN_CHARACTERS, max_length=MAX_CHARACTERS), AfterValidator(_prepare)
]
"""A new password, in the form in which it is set."""


def refuse_guessable(
    password: str, *, username: str, email: EmailAddress, shop_name: str, field: str = "password"
) -> None:
    """Raise Invalid on `field` for a password that is the account's name or address, or the name of the shop.

    Case, spaces, the width of letters, a tag of the address and the spelling of its domain make no difference.
    """
    addresses = {*spellings(email.text), *spellings(mailbox_key(email.key))}
    names = {username, shop_name, *addresses, *(address.rpartition("@")[0] for address in addresses)}
    if _bare(password) in {_bare(name) for name in names}:
        message = "Your name, your address and the name of the shop can be guessed. Choose another password"
        raise Invalid.field(field, "guessable-password", message)


def _bare(text: str) -> str:
    """The text in which two spellings of a name are the same."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
