"""Amounts of money: integers of minor units in the code, decimal strings with two places in JSON, never floats."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

_AMOUNT = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,2}))?")


def parse_money(value: object) -> int:
    """Minor units of `"12.5"`, `12.5` or `12`. Raises ValueError for other text, a negative amount, or more than two places."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("enter a decimal string or a number")
    # repr gives the shortest decimal of this float, which is what the client wrote. + 0 turns -0.0 into 0
    text = value if isinstance(value, str) else format(Decimal(repr(value)) + 0, "f")
    if not (amount := _AMOUNT.fullmatch(text)):
        raise ValueError("enter an amount of at least 0 with at most two decimal places")
    whole, cents = amount.groups(default="")
    return int(whole) * 100 + int(cents.ljust(2, "0"))


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
