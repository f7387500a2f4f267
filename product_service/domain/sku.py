"""SKUs in their one form: NFC, one plain space for any run of spaces, and no character that shows nothing.

Case counts: `sku-1` and `SKU-1` are two SKUs, because other systems of a shop may have both.
"""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from libs.values.text import Name, shows_nothing

MAX_CHARACTERS = 64


def canonical_sku(text: str) -> str:
    """The form of a SKU that is stored and compared. It takes any text."""
    return " ".join(unicodedata.normalize("NFC", "".join(c for c in text if not shows_nothing(c))).split())


def _require_visible(text: str) -> str:
    if any(map(shows_nothing, text)):
        raise PydanticCustomError("character_not_allowed", "A character of the SKU shows nothing")
    return canonical_sku(text)


Sku = Annotated[
    Name,
    AfterValidator(_require_visible),
    StringConstraints(min_length=1, max_length=MAX_CHARACTERS),
    Field(description="Unique. In Unicode's NFC, with visible characters and single spaces. Case counts"),
]
"""The SKU that a client sends, in its one form."""
