"""Bodies: an object of limited depth, exact types, nothing unknown."""

import pytest
from pydantic import ValidationError

from libs.values.schema import StrictModel
from libs.values.text import Line, Paragraph
from libs.web.bodies import MalformedBody, TooDeep, measure, parse_object


class Sample(StrictModel):
    first_name: Line
    note: Paragraph = ""


def nested(levels):
    return b'{"a":' * levels + b"1" + b"}" * levels


def test_32_levels_are_enough():
    assert measure(parse_object(nested(32)))[0] == 32
    with pytest.raises(TooDeep):
        parse_object(nested(33))


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"[1]", b'"x"', b"1", b"{", b"[" * 2000, b"\xff\xfe", b'{"a": NaN}', b'{"a": "\\ud800"}']
)
def test_other_things_are_malformed(raw):
    with pytest.raises((MalformedBody, TooDeep)):
        parse_object(raw)


def test_names_are_camel_case_outside():
    assert Sample.model_validate({"firstName": " Ann "}).first_name == "Ann"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"firstName": 1},
        {"firstName": None},
        {"firstName": "a\nb"},
        {"firstName": "a\x00"},
        {"firstName": "a", "x": 1},
    ],
)
def test_what_does_not_fit_is_refused(body):
    with pytest.raises(ValidationError):
        Sample.model_validate(body)


def test_a_text_may_have_lines():
    assert Sample.model_validate({"firstName": "a", "note": "one\ntwo"}).note == "one\ntwo"
