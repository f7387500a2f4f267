"""Rules for passwords."""

import pytest

from user_service.domain import passwords
from user_service.domain.passwords import is_common


@pytest.mark.parametrize("password", ["password", "PASSWORD", "12345678", "iloveyou", "qwerty123"])
def test_the_commonest_passwords_are_known_in_any_case(password):
    assert is_common(password)


def test_the_list_holds_three_thousand_that_are_long_enough_to_be_tried():
    commonest = passwords._most_common()
    assert len(commonest) == 3000
    assert min(map(len, commonest)) >= 8
    assert not is_common("Correct-horse-battery")
