"""The JSON of an order."""

from dataclasses import replace
from datetime import UTC, datetime

from libs.values.money import Money
from order_service.api.responses import to_public
from order_service.domain.customer import Customer, MailAddress
from order_service.domain.order import Order, OrderLine, ShippingAddress

MOMENT = datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)
LINE = OrderLine(product_id="p", name="Oil", quantity=2, unit_price=Money(500, "USD"), product_version=1)
ORDER = Order.place(
    customer=Customer(user_id="0" * 24, username="ann", address=MailAddress(email="ann@example.com")),
    lines=[LINE],
    shipping_address=None,
    at=MOMENT,
)
ADDRESS = ShippingAddress(name="Ann", line1="Street 1", city="Oslo", postal_code="0150", country="NO")


def test_an_order_has_the_fields_of_the_contract():
    assert to_public(ORDER) == {
        "id": ORDER.id,
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
    shown = to_public(replace(ORDER, reason="out_of_stock", shipping_address=ADDRESS))
    address = {"name": "Ann", "line1": "Street 1", "city": "Oslo", "postalCode": "0150", "country": "NO"}
    assert (shown["reason"], shown["shippingAddress"]) == ("out_of_stock", address)
    second = to_public(replace(ORDER, shipping_address=replace(ADDRESS, line2="Flat 2")))
    assert list(second["shippingAddress"]) == ["name", "line1", "line2", "city", "postalCode", "country"]
