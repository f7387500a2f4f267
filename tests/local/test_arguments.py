"""The variables of a command of the Makefile."""

from __future__ import annotations

import pytest

from deploy.arguments import read_variables
from deploy.local.errors import LocalError


def test_the_variables_are_read_by_name() -> None:
    assert read_variables([], ("RATE", "SECONDS")) == {}
    assert read_variables(["SECONDS=7", "RATE=a=b"], ("RATE", "SECONDS")) == {"SECONDS": "7", "RATE": "a=b"}


@pytest.mark.parametrize("argument", ["X=1", "RATE", "", "20", "rate=1"])
def test_another_argument_is_an_error_that_names_the_variables(argument: str) -> None:
    with pytest.raises(LocalError, match="RATE, SECONDS"):
        read_variables([argument], ("RATE", "SECONDS"))
