"""Rules for text: what is taken, what is refused and why."""

import sys
import unicodedata

import pytest
from pydantic import TypeAdapter, ValidationError

from libs.values.text import Line, Name, Note, Paragraph, clean

LINES, NAMES, PARAGRAPHS, NOTES = (TypeAdapter(kind) for kind in (Line, Name, Paragraph, Note))
KINDS = {"line": LINES, "name": NAMES, "paragraph": PARAGRAPHS, "note": NOTES}

GOOD = [
    "Größe 7½ “naïve” café",
    "लैंप",
    "می‌خواهم",
    "調光できるランプ 🪔👩🏽‍💻",
    "a\u00a0b",
    "12\u3000円",
    "e\u0301",
    "❤️",
    "1️⃣ 👩‍❤️‍👨",
    "葛\U000e0100城",
    "\u182c\u180b\u1820",
    "c\u034fh",
    "क्‍ष",
    "<b>&amp;</b> = + - @",
    "한국어",
    "ཧཱུྃ",  # stacks of real scripts
    "ကျွန်ုပ်တို့",
    "בְּרֵאשִׁ֖ית",
    "a" + "\u0301" * 10 + "b" + "\u0301" * 10,
]
BAD = {
    "noncharacter": "a\uffffb",
    "another noncharacter": "a\U0001fffeb",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "line separator at the end": "a\u2028",
    "override": "a\u202eb",
    "isolate": "a\u2066b",
    "mark": "a\u200eb",
    "zero-width space": "a\u200bb",
    "soft hyphen": "a\u00adb",
    "byte order mark": "\ufeffa",
    "word joiner": "a\u2060b",
    "tag": "a\U000e0041",
    "private": "a\ue000b",
    "private plane": "a\U0010fffdb",
    "unassigned": "a\u0378b",
    "NUL": "a\0b",
    "escape": "a\x1b[31mb",
    "vertical tab": "a\x0bb",
    "next line": "a\x85b",
    "delete": "a\x7fb",
    "joiner first": "\u200da",
    "joiner last": "a\u200c",
    "joiner at a space": "a \u200cb",
    "two joiners": "a\u200c\u200cb",
    "a selector first": "\ufe0fa",
    "a selector after a space": "a \ufe0fb",
    "text hidden in selectors": "a\U000e0141\U000e0142\U000e0143",
    "two of several kinds": "a\ufe0f\u034f",
    "a selector after a line break": "a\n\ufe0fb",
    "a mark first": "\u0301a",
    "a mark after a space": "a \u0301",
    "a mark after a line break": "a\n\u20e3b",
    "a spacing mark after a space": "a \u093e",
    "a flood of marks": "a" + "\u0301" * 11,
    "a flood of different marks": "a" + "\u0301\u0489\u035c" * 4,
    "a flood between joiners": "a" + "\u0301\u200d" * 11 + "b",
}
BLANK = ["\u3164", "\u2800 \u115f", "\ufe0f", "\u034f", "\u0301", "\U000e0101", "\U0001d159"]


def code_of(kind, text):
    with pytest.raises(ValidationError) as refused:
        KINDS[kind].validate_python(text)
    return refused.value.errors()[0]["type"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", GOOD)
def test_text_of_all_scripts_is_taken_as_it_is(kind, text):
    assert KINDS[kind].validate_python(text) == text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_other_characters_are_refused(kind, text):
    assert code_of(kind, text) == "character_not_allowed"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", BLANK, ids=ascii)
def test_text_of_invisible_characters_is_blank(kind, text):
    assert code_of(kind, text) == "blank"


@pytest.mark.parametrize("kind", ["name", "note"])
@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u3000"], ids=ascii)
def test_a_name_and_a_note_show_something(kind, text):
    assert code_of(kind, text) == "blank"


@pytest.mark.parametrize("kind", ["line", "paragraph"])
def test_other_text_may_be_empty(kind):
    assert KINDS[kind].validate_python(" \n ") == ""


def test_line_breaks_and_tabs_are_for_paragraphs():
    assert PARAGRAPHS.validate_python("a\r\nb\rc\n\td\n") == "a\nb\nc\n\td"
    assert NOTES.validate_python("\ta\n") == "a"
    for text in ("a\nb", "a\tb", "a\rb", "a\r\nb"):
        assert code_of("line", text) == "character_not_allowed"
    assert LINES.validate_python("\ta \r\n") == "a"


def test_what_is_refused_is_not_repeated():
    with pytest.raises(ValidationError) as refused:
        NAMES.validate_python("secret\0")
    assert "secret" not in refused.value.errors()[0]["msg"]


def test_the_categories_decide():
    allowed = {"L", "M", "N", "P", "S"}
    for code in range(0x20, sys.maxunicode + 1):
        character = chr(code)
        category = unicodedata.category(character)
        expected = category[0] in allowed or category == "Zs"
        assert (clean(f"a{character}b", replacement="") != "ab") == (expected or character in "\u200c\u200d"), hex(code)


def test_stored_text_is_cleaned_before_its_output():
    assert clean("a\u2028b\x00c\nd") == "a\ufffdb\ufffdc\ufffdd"
    assert clean("a\nb\tc\u202e", breaks="\n") == "a\nb\ufffdc\ufffd"
    assert clean("می‌خواهم 👩🏽‍💻") == "می‌خواهم 👩🏽‍💻"
