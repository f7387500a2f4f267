"""The pages of reservations in force: none is larger than an event may be."""

from datetime import UTC, datetime

import pytest

from libs.messaging.envelope import new_row
from libs.values.money import Money
from product_service.domain.held_page import MAX_RESERVATIONS, first_of
from product_service.domain.reservation import Reply, RequestedItem, Reservation, Status
from product_service.events.published import HeldReservation, Pieces, StockHeld

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
ORDER_ID = "01K00000000000000000000000"


def reservation(lines):
    items = [
        RequestedItem(product_id=f"{number:024x}", quantity=2**31 - 1, unit_price=Money(1, "USD"))
        for number in range(lines)
    ]
    return Reservation(order_id=ORDER_ID, status=Status.RESERVED, items=tuple(items), reply=Reply(), created_at=AT)


@pytest.mark.parametrize(
    ("lines", "count"), [(1, 490), (50, 19), (0, MAX_RESERVATIONS)], ids=["one line", "fifty lines", "no line"]
)
def test_a_page_holds_as_many_reservations_as_fit(lines, count):
    page = first_of([reservation(lines)] * 600)
    assert len(page) == count
    event = StockHeld(
        round=ORDER_ID,
        after=ORDER_ID,
        until=ORDER_ID,
        as_of="2026-01-31T12:00:00.000Z",
        reservations=[HeldReservation(order_id=one.order_id, items=Pieces.rows(one.pieces)) for one in page],
    )
    assert new_row(event, source="product_service", aggregate_id="stock-held", sequence=1)


def test_few_reservations_are_one_page():
    assert first_of([]) == ()
    assert len(first_of([reservation(1)] * 3)) == 3
