"""The address that a mail is sent to."""

from functools import lru_cache
from typing import Annotated

from email_validator import validate_email
from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from libs.values.text import Matching

WORDS = "Enter one e-mail address, such as ada@example.com"


@lru_cache(4096)  # a customer has several mails within minutes; the check takes as long as a tenth of a mail
def _require_one_address(text: str) -> str:
    """The address with its domain in ASCII, as SMTP requires. Raises ValueError for anything but one address."""
    try:
        address = validate_email(text, check_deliverability=False)
    except ValueError:  # its text is the library's
        raise PydanticCustomError("invalid_email", WORDS) from None
    return f"{address.local_part}@{address.ascii_domain}"


Recipient = Annotated[
    str,
    StringConstraints(max_length=254),
    Matching(r"^[^\s<>]+@[^\s<>]+$", "invalid-email", WORDS),
    AfterValidator(_require_one_address),
]
"""Exactly one address. Line breaks, names and further addresses are refused, because they could add headers or recipients."""
