"""Rules for text that people enter."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints


def _refuse_control_characters(text: str) -> str:
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text):
        raise ValueError("control characters are not allowed")
    return text


def _refuse_line_breaks(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise ValueError("line breaks and tabs are not allowed")
    return text


Text = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_refuse_control_characters)]
"""Text of several lines, without white space at its ends and without control characters."""


Line = Annotated[Text, AfterValidator(_refuse_line_breaks)]
"""Text of one line."""
