"""Amounts of money: read exactly, shown exactly."""

import pytest

from libs.values.money import format_money, parse_money


@pytest.mark.parametrize(
    ("value", "minor"),
    [
        *(("0", 0), ("12", 1200), ("12.5", 1250), ("12.50", 1250), ("0.01", 1), ("99999.99", 9_999_999), ("007", 700)),
        *(
            (0, 0),
            (12, 1200),
            (12.5, 1250),
            (0.1, 10),
            (19.9, 1990),
            (1.10, 110),
            (4.35, 435),
            (1e3, 100_000),
            (-0.0, 0),
        ),
    ],
)
def test_texts_and_numbers_are_read_to_the_cent(value, minor):
    assert parse_money(value) == minor


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            " ",
            "1.001",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "NaN",
            "Infinity",
            "1,50",
            " 1",
            "1\n",
            "٣",
            "1" * 13,
            "0x1",
        ),
        *(1.001, 0.1 + 0.2, -0.01, -1, 1e-7, 1e22, float("nan"), float("inf"), 10**12),
        *(True, None, [], {"$gt": ""}, b"1"),
    ],
)
def test_all_else_is_refused(value):
    with pytest.raises(ValueError):
        parse_money(value)


@pytest.mark.parametrize(("minor", "text"), [(0, "0.00"), (5, "0.05"), (1250, "12.50"), (9_999_999, "99999.99")])
def test_amounts_are_shown_with_two_places(minor, text):
    assert format_money(minor) == text
    assert parse_money(text) == minor
