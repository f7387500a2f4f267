"""Rules for text that people enter: an allow-list of characters by Unicode category, and something to see.

Letters, marks, numbers, punctuation, symbols and spaces are allowed (categories L, M, N, P, S and Zs). ZERO WIDTH NON-JOINER and
ZERO WIDTH JOINER are allowed between two visible characters: Persian, Indic scripts and emoji need them. Line breaks and tabs are
allowed in paragraphs. All others are refused: control characters, bidirectional controls, separators of lines and paragraphs,
private, unassigned and surrogate code points. So is a mark with nothing before it, which would change what an output has there,
and a flood of marks, which would cover the lines around it. So are two marks in a row that show nothing: a run of them can hide a
text in another one. The version of Unicode is that of Python's `unicodedata`.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

JOINERS = "\u200c\u200d"
BREAKS = "\n\t"
WHITE_SPACE = " \t\r\n"  # removed at the ends of a text, with the spaces of category Zs

# Letters and symbols that show nothing: Hangul fillers, the Braille pattern without dots, and the null notehead.
# Source: Unicode DerivedCoreProperties.txt, Default_Ignorable_Code_Point, its categories L and S.
BLANKS = "\u115f\u1160\u2800\u3164\uffa0\U0001d159"

# Marks that show nothing, such as variation selectors. Source: the same file, its category M.
MARKS = "".join(
    map(chr, (0x034F, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
HIDDEN_RUN = re.compile(rf"[{MARKS}]{{2}}")
MAX_MARKS = 10  # on one character: real scripts stack fewer


def is_allowed(text: str, position: int, *, breaks: str = "") -> bool:
    """Whether a text may have the character at `position`. `breaks`: the line breaks and tabs that it may have."""
    character = text[position]
    if character in JOINERS:
        neighbours = text[position - 1 : position] + text[position + 1 : position + 2]
        return len(neighbours) == 2 and all(other.isprintable() and other != " " for other in neighbours)
    return character.isprintable() or character in breaks or unicodedata.category(character) == "Zs"


def is_visible(text: str) -> bool:
    """Whether a text shows something: a letter, number, punctuation mark or symbol that is not blank."""
    return any(unicodedata.category(c)[0] in "LNPS" and c not in BLANKS for c in text)


def shows_nothing(character: str) -> bool:
    """Whether a character is never seen itself. In a SKU or an address of the web it would make two of one."""
    return unicodedata.category(character) == "Cf" or character in MARKS or character in BLANKS


def clean(text: str, *, breaks: str = "", replacement: str = "\ufffd") -> str:
    """A text with a replacement for each character that is not allowed. For text that is stored already, before its output."""
    if text.isprintable():
        return text
    return "".join(
        character if is_allowed(text, position, breaks=breaks) else replacement
        for position, character in enumerate(text)
    )


def _trim(text: object) -> object:
    if not isinstance(text, str):
        return text
    start, end = 0, len(text)
    while start < end and _is_space(text[start]):
        start += 1
    while end > start and _is_space(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_space(character: str) -> bool:
    return character in WHITE_SPACE or unicodedata.category(character) == "Zs"


def _unify_breaks(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def check_line(text: str) -> str:
    """Text of one line, as it is. Raises pydantic's error `character_not_allowed` or `blank`."""
    return _check(text, breaks="")


def _check_paragraph(text: str) -> str:
    return _check(_unify_breaks(text), breaks=BREAKS)


def _check(text: str, *, breaks: str) -> str:
    if not text.isprintable() and not all(is_allowed(text, i, breaks=breaks) for i in range(len(text))):
        raise PydanticCustomError("character_not_allowed", "A character is not allowed")
    if text and not is_visible(text):
        raise _blank()
    if not text.isascii() and (HIDDEN_RUN.search(text) or _has_stray_marks(text)):
        raise PydanticCustomError("character_not_allowed", "A character is not allowed")
    return text


def _has_stray_marks(text: str) -> bool:
    """Whether a mark has nothing before it that it belongs to, or a character has more than MAX_MARKS."""
    marks = MAX_MARKS  # at the beginning no mark may follow, and none after white space
    for character in text:
        if unicodedata.category(character)[0] == "M":
            marks += 1
            if marks > MAX_MARKS:
                return True
        elif character not in JOINERS:
            marks = MAX_MARKS if character.isspace() else 0
    return False


def _require_text(text: str) -> str:
    if not text:
        raise _blank()
    return text


def _refuse_control_characters(text: str) -> str:
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise PydanticCustomError("character_not_allowed", "A control character is not allowed")
    return text


def _blank() -> PydanticCustomError:
    return PydanticCustomError("blank", "Enter something that is visible")


@dataclass(frozen=True, slots=True)
class Matching:
    """An annotation of a text that must match a pattern. A refusal has this code and these words, and not the pattern."""

    pattern: str
    code: str
    message: str

    def check(self, text: str) -> str:
        """The text. Raises pydantic's error with the code."""
        if not re.fullmatch(self.pattern, text):
            raise PydanticCustomError(self.code, self.message)
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Mapping[str, object]:
        return {**handler(schema), "pattern": self.pattern}


Line = Annotated[str, BeforeValidator(_trim), AfterValidator(check_line)]
"""Text of one line, which may be empty. White space at its ends is removed."""

Name = Annotated[Line, AfterValidator(_require_text)]
"""Text of one line that shows something."""

Paragraph = Annotated[str, BeforeValidator(_trim), AfterValidator(_check_paragraph)]
"""Text of several lines, which may be empty. White space at its ends is removed. Each line break becomes a line feed."""

Note = Annotated[Paragraph, AfterValidator(_require_text)]
"""Text of several lines that shows something."""

StoredLine = Annotated[str, AfterValidator(_refuse_control_characters), AfterValidator(clean)]
"""Text of one line that another service has stored, perhaps under earlier rules. These refused control characters only.

Other characters that are not allowed are replaced.
"""
