"""What differs between an order and the stock that is held for it."""

import pytest

from order_service.domain.order_status import Status
from order_service.domain.reconciliation import ComparedOrder, Kind, compare, without_order

PIECES = {"lamp": 2, "oil": 1}
ID = "01K00000000000000000000000"


@pytest.mark.parametrize(
    ("status", "held", "kind"),
    [
        (Status.CONFIRMED, PIECES, None),
        (Status.SHIPPED, PIECES, None),
        (Status.CONFIRMED, {}, Kind.MISSING),
        (Status.SHIPPED, {}, Kind.MISSING),
        (Status.CONFIRMED, {"lamp": 2}, Kind.DIFFERENT),
        (Status.CANCELLED, {}, None),
        (Status.CANCELLED, PIECES, Kind.HELD),
        (Status.REJECTED, PIECES, Kind.HELD),
        (Status.REJECTED, {}, None),
        (Status.PENDING, PIECES, None),
        (Status.PENDING, {}, None),
        (Status.DELIVERED, PIECES, None),
        (Status.DELIVERED, {}, None),
    ],
)
def test_orders_and_what_they_hold(status, held, kind):
    found = compare(ComparedOrder(id=ID, status=status, pieces=PIECES), held)
    assert (found and found.kind) == kind


def test_a_difference_is_a_line():
    order = ComparedOrder(id=ID, status=Status.CONFIRMED, pieces=PIECES)
    assert (
        str(compare(order, {"lamp": 1})) == f"order {ID} is confirmed and has 2 of lamp, 1 of oil, but holds 1 of lamp"
    )
    assert str(compare(order, {})) == f"order {ID} is confirmed, but holds nothing"
    assert str(without_order(ID, PIECES)) == f"order {ID} does not exist, but holds 2 of lamp, 1 of oil"
