"""Bodies: what is read, and that no number loses a digit."""

from decimal import Decimal

import pytest

from libs.web.bodies import MalformedBody, TooDeep, parse_object


@pytest.mark.parametrize(
    ("token", "number"),
    [
        ("12", 12),
        ("-3", -3),
        ("19.90", Decimal("19.90")),
        ("1e-400", Decimal("1e-400")),
        ("1E2", Decimal("1e2")),
        ("10.000000000000000001", Decimal("10.000000000000000001")),
        ("123456789012345678901234", Decimal("123456789012345678901234")),
        ("9" * 300, Decimal("9" * 300)),
        ("9007199254740993", 9007199254740993),
        ("-0.0", Decimal("-0.0")),
    ],
)
def test_a_number_is_read_exactly(token, number):
    read = parse_object(b'{"a": [{"b": ' + token.encode() + b"}]}")["a"][0]["b"]
    assert (type(read), str(read)) == (type(number), str(number))


@pytest.mark.parametrize("token", ["0e99999999999999999999", "1e-99999999999999999999"])
def test_a_number_beyond_the_limits_of_decimals_is_none(token):
    assert parse_object(b'{"a": ' + token.encode() + b"}")["a"].is_nan()


def test_text_that_resembles_a_number_stays_as_it_is():
    raw = '{"a": "19.90", "é": "3.5 kg \\u00e9", "b": null, "c": true, "d": "12345678901234567890"}'.encode()
    assert parse_object(raw) == {"a": "19.90", "é": "3.5 kg é", "b": None, "c": True, "d": "12345678901234567890"}


@pytest.mark.parametrize(
    "raw", [b"", b"[1.5]", b"1.5", b'{"a": NaN}', b'{"a": 1.}', b'{"a": .5}', b'{"a": 01}', b'{"a": 1.5\xff}']
)
def test_what_is_no_object_is_refused(raw):
    with pytest.raises(MalformedBody):
        parse_object(raw)


def test_a_deep_body_is_refused_whatever_its_numbers():
    with pytest.raises(TooDeep):
        parse_object(b'{"a": ' + b"[" * 40 + b"1.5" + b"]" * 40 + b"}")
