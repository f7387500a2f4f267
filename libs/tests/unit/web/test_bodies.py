"""Bodies: what is read, and that no number loses a digit."""

from decimal import Decimal

import pytest

from libs.values.errors import Repeated
from libs.web.bodies import (
    MalformedBody,
    TooDeep,
    UnsupportedCharset,
    UnsupportedCoding,
    parse_object,
    require_readable,
)


@pytest.mark.parametrize(
    ("token", "number"),
    [
        ("12", 12),
        ("-3", -3),
        ("19.90", Decimal("19.90")),
        ("1e-400", Decimal("1e-400")),
        ("1E2", 100),
        ("1.0", 1),
        ("-2.50e1", -25),
        ("1e18", 10**18),
        ("1e19", Decimal("1e19")),
        ("10.000000000000000001", Decimal("10.000000000000000001")),
        ("123456789012345678901234", Decimal("123456789012345678901234")),
        ("9" * 300, Decimal("9" * 300)),
        ("9007199254740993", 9007199254740993),
        ("-0.0", 0),
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


def test_a_byte_order_mark_is_no_part_of_the_body():
    assert parse_object(b'\xef\xbb\xbf{"a": 1.5}') == {"a": Decimal("1.5")}
    with pytest.raises(MalformedBody):
        parse_object(b'\xef\xbb\xbf\xef\xbb\xbf{"a": 1}')


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (b'{"a": 1, "a": 2}', ["a"]),
        (b'{"a": 1, "\\u0061": 1}', ["a"]),
        (b'{"a": {"b": 1, "c": 2, "b": 3}}', ["a.b"]),
        (b'{"a": [{"b": 1}, {"b": 1, "b": 1, "b": 1}]}', ["a.1.b"]),
        (b'{"a": [[{"b": 1 , "b"\n:\t1}]], "c": {"d": 1}, "c": {"d": 1, "d": 1}}', ["a.0.0.b", "c.d", "c"]),
        (b'{"": 1, "": 2}', ["(empty)"]),
        (b'{"a": "\\":", "b": 1.5, "b": 1}', ["b"]),
    ],
)
def test_a_name_is_given_once_in_an_object_at_any_depth(raw, names):
    with pytest.raises(Repeated) as refused:
        parse_object(raw)
    assert (refused.value.code, [row["code"] for row in refused.value.errors]) == (
        "repeated",
        ["repeated"] * len(names),
    )
    assert sorted(row["field"] for row in refused.value.errors) == sorted(names)


def test_what_resembles_a_repeated_name_is_none():
    assert parse_object(b'{"a": "\\":\\": \\"a\\":", "b": {"a": 1}, "c": [{"a": 1}, {"a": 1}]}')["b"] == {"a": 1}


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "identity, gzip", "x"])
def test_a_coding_other_than_identity_is_unsupported(coding):
    with pytest.raises(UnsupportedCoding):
        require_readable("application/json", coding)


@pytest.mark.parametrize("coding", [None, "", "identity", " Identity "])
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json;charset=utf-8",
        'application/json; charset="UTF-8"',
        "application/json; charset=utf8; x=y",
        "application/json; charset=us-ascii",
    ],
)
def test_utf_8_without_coding_is_read(coding, content_type):
    require_readable(content_type, coding)


@pytest.mark.parametrize("charset", ["utf-16", "ISO-8859-1", "windows-1252", "nonsense"])
def test_another_charset_is_named(charset):
    with pytest.raises(UnsupportedCharset, match=charset):
        require_readable(f"application/json; charset={charset}", None)


@pytest.mark.parametrize("levels", [40, 900, 1023])
def test_a_deep_value_under_a_repeated_name_is_refused(levels):
    raw = b'{"a": ' + b"[" * levels + b"]" * levels + b', "a": 1}'
    with pytest.raises(TooDeep):
        parse_object(raw)
