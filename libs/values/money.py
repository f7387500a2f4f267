"""Amounts of money: integers of minor units inside, decimal strings with two places outside, floats nowhere."""

import re
from decimal import Decimal

_AMOUNT = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,2}))?")


def parse_money(value: object) -> int:
    """Minor units of `"12.5"`, `12.5` or `12`. Raises ValueError: not a plain amount, negative, or over two places."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("a decimal string or a number is expected")
    # repr is the shortest decimal that means this float, which is what the client wrote; + 0 makes -0.0 a plain 0
    text = value if isinstance(value, str) else format(Decimal(repr(value)) + 0, "f")
    if not (amount := _AMOUNT.fullmatch(text)):
        raise ValueError("an amount of at least 0 with at most two decimal places is expected")
    whole, cents = amount.groups(default="")
    return int(whole) * 100 + int(cents.ljust(2, "0"))


def format_money(minor: int) -> str:
    """`1250` → `"12.50"`."""
    return f"{minor // 100}.{minor % 100:02}"
