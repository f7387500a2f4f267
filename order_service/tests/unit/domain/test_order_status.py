"""The life of an order."""

import itertools

import pytest

from order_service.domain.errors import IllegalTransition
from order_service.domain.order_status import BEFORE, Status, require_by_staff, require_transition

LEGAL = {
    ("pending", "confirmed"),
    ("pending", "rejected"),
    ("confirmed", "shipped"),
    ("shipped", "delivered"),
    ("pending", "cancelled"),
    ("confirmed", "cancelled"),
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(Status, Status)))
def test_only_the_contracts_transitions_are_legal(before, after):
    if (before.value, after.value) in LEGAL:
        require_transition(before, after)
    else:
        with pytest.raises(IllegalTransition, match=f"A {before.value} order can't become {after.value}"):
            require_transition(before, after)


@pytest.mark.parametrize("status", Status)
def test_staff_set_all_statuses_but_those_that_stock_decides(status):
    if status in ("shipped", "delivered", "cancelled"):
        require_by_staff(status)
    else:
        with pytest.raises(IllegalTransition, match=f"Staff can't make an order {status.value}"):
            require_by_staff(status)


def test_there_is_no_cycle():
    after = {status: [a for a, befores in BEFORE.items() if status in befores] for status in Status}

    def longest(status):
        return 1 + max(map(longest, after[status]), default=0)

    assert longest(Status.PENDING) == 4
