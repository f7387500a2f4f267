"""Amounts of money: integers of minor units in the code, decimal strings with two places in JSON, never floats."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from pydantic_core import PydanticCustomError

MAX_WHOLE_DIGITS = 12
_AMOUNT = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,2}))?")


def parse_money(value: object) -> int:
    """Minor units of `"12.5"`, `12.5` or `12`. Nothing is rounded.

    Raises ValueError, with a code and a message for clients, for other text, a negative amount, or more than two places.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise _invalid_amount()
    if not isinstance(value, str):
        # A number in a body is an int or a Decimal (libs.web.bodies). The repr of a float is its shortest decimal.
        return _parse_number(Decimal(repr(value) if isinstance(value, float) else value))
    if not (amount := _AMOUNT.fullmatch(value)):
        raise _invalid_amount()
    whole, cents = amount.groups(default="")
    return int(whole) * 100 + int(cents.ljust(2, "0"))


def _parse_number(number: Decimal) -> int:
    """By the digits, because arithmetic rounds to 28 of them. A number is taken exactly or refused."""
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or number < 0 or number.adjusted() >= MAX_WHOLE_DIGITS:
        raise _invalid_amount()
    surplus = max(0, -2 - exponent)  # digits after the second place
    kept, cut = digits[: len(digits) - surplus] if surplus < len(digits) else (), digits[-surplus:] if surplus else ()
    if any(cut):
        raise _invalid_amount()
    return int("".join(map(str, kept)) + "0" * max(0, exponent + 2) or "0")


def _invalid_amount() -> PydanticCustomError:
    text = "Enter an amount of at least 0 with at most two decimal places, as a decimal string or a number"
    return PydanticCustomError("invalid_amount", text)


def format_money(minor: int) -> str:
    """`1250` → `"12.50"`."""
    return f"{minor // 100}.{minor % 100:02}"


class CurrencyMismatch(ValueError):
    """Raised by arithmetic and comparison between two currencies."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency. `minor`: integer of minor units (cents). `currency`: ISO 4217 code, such as `USD`."""

    minor: int
    currency: str

    @classmethod
    def parse(cls, value: object, currency: str) -> Self:
        """From a decimal string or a number. Raises ValueError as `parse_money` does."""
        return cls(parse_money(value), currency)

    @classmethod
    def from_decimal(cls, amount: Decimal, currency: str) -> Self:
        """From a column with two decimal places. Raises ValueError for more."""
        minor = amount * 100
        if minor != minor.to_integral_value():
            raise ValueError("an amount has two decimal places")
        return cls(int(minor), currency)

    @classmethod
    def sum(cls, amounts: Iterable["Money"], currency: str) -> "Money":
        """The sum, zero for no amounts. Raises CurrencyMismatch."""
        total = cls(0, currency)
        for amount in amounts:
            total += amount
        return total

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.minor * quantity, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __str__(self) -> str:
        """The decimal string without the currency: `12.50`."""
        return format_money(self.minor)

    @property
    def decimal(self) -> Decimal:
        """The amount for a DECIMAL column: two places, exact."""
        return Decimal(self.minor).scaleb(-2)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.minor
