"""What goes out."""

from datetime import UTC, datetime
from decimal import Decimal

from order_service.queries.orders import to_public
from order_service.store.models import Status

MOMENT = datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)
ORDER = {
    "id": "01M82CEBY32RNQGJ072R3P5R7Z",
    "user_id": "0" * 24,
    "status": Status.PENDING,
    "total": Decimal("10.00"),
    "currency": "USD",
    "shipping_address": None,
    "reason": None,
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "lines": [
        {"product_id": "p", "name": "Oil", "quantity": 2, "unit_price": Decimal("5.00"), "line_total": Decimal("10.00")}
    ],
}


def test_an_order_looks_as_the_contract_says():
    assert to_public(ORDER) == {
        "id": ORDER["id"],
        "status": "pending",
        "items": [{"productId": "p", "name": "Oil", "quantity": 2, "unitPrice": "5.00", "lineTotal": "10.00"}],
        "productId": "p",
        "quantity": 2,
        "total": "10.00",
        "currency": "USD",
        "createdAt": "2026-01-31T12:00:00.250Z",
        "updatedAt": "2026-01-31T12:00:00.250Z",
    }


def test_what_is_optional_is_shown_when_it_is_there():
    shown = to_public(ORDER | {"reason": "out_of_stock", "shipping_address": {"name": "Ann"}})
    assert (shown["reason"], shown["shippingAddress"]) == ("out_of_stock", {"name": "Ann"})
