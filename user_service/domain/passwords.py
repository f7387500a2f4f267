"""Rules for passwords."""

from functools import cache
from pathlib import Path


def is_common(password: str) -> bool:
    """True for one of the 3,000 commonest of eight characters and more, whatever their case."""
    return password.casefold() in _commonest()


@cache
def _commonest() -> frozenset[str]:
    lines = Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.casefold() for line in lines)
