"""Rules for passwords."""

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError


def is_common(password: str) -> bool:
    """True for one of the 3,000 most common passwords of 8 or more characters, in upper or lower case."""
    return password.casefold() in _most_common()


@cache
def _most_common() -> frozenset[str]:
    lines = Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.casefold() for line in lines)


def _refuse_common(password: str) -> str:
    if is_common(password):
        raise PydanticCustomError("common-password", "This is one of the commonest passwords")
    return password


Password = Annotated[str, StringConstraints(min_length=8, max_length=128), AfterValidator(_refuse_common)]
