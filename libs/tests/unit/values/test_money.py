"""Amounts of money: read exactly, shown exactly."""

from decimal import Decimal

import pytest

from libs.values.money import CurrencyMismatch, Money, format_money, parse_money


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
            (Decimal("19.90"), 1990),
            (Decimal("10.000000"), 1000),
            (Decimal("1E+2"), 10_000),
            (Decimal("-0.00"), 0),
            (Decimal("0E-999999"), 0),
            (Decimal("999999999999.99"), 99_999_999_999_999),
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
        *map(
            Decimal,
            [
                "1e-400",
                "10.000000000000000001",
                "10.01" + "0" * 40 + "1",
                "1e999999",
                "-0.01",
                "NaN",
                "sNaN",
                "Infinity",
                "1e12",
                "0.001",
                "9" * 5000,
            ],
        ),
    ],
)
def test_all_else_is_refused(value):
    with pytest.raises(ValueError):
        parse_money(value)


@pytest.mark.parametrize(("minor", "text"), [(0, "0.00"), (5, "0.05"), (1250, "12.50"), (9_999_999, "99999.99")])
def test_amounts_are_shown_with_two_places(minor, text):
    assert format_money(minor) == text
    assert parse_money(text) == minor


def test_money_adds_and_multiplies_within_one_currency():
    price = Money.parse("19.90", "USD")
    assert price * 3 == Money(5970, "USD")
    assert price + Money(10, "USD") == Money(2000, "USD")
    assert Money.sum([price, price], "USD") == Money(3980, "USD")
    assert Money.sum([], "EUR") == Money(0, "EUR")
    assert price < Money(1991, "USD")
    assert price <= Money(1990, "USD")
    assert (str(price), price.decimal, Money.from_decimal(Decimal("19.90"), "USD")) == (
        "19.90",
        Decimal("19.90"),
        price,
    )


def test_two_currencies_do_not_mix():
    dollar, euro = Money(100, "USD"), Money(100, "EUR")
    assert dollar != euro
    for mix in (lambda: dollar + euro, lambda: dollar < euro, lambda: dollar <= euro):
        with pytest.raises(CurrencyMismatch):
            mix()


def test_a_column_with_more_than_two_places_is_no_amount():
    with pytest.raises(ValueError):
        Money.from_decimal(Decimal("1.005"), "USD")
