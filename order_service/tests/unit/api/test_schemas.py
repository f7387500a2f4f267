"""What a body may hold."""

import pytest
from pydantic import ValidationError

from order_service.api.schemas import ManyItems, OneItem
from order_service.domain.order import ShippingAddress
from order_service.domain.pricing import RequestedItem

ADDRESS = {"name": "Ann", "line1": "Street 1", "city": "Oslo", "postalCode": "0150", "country": "no"}


def test_an_order_of_one_is_an_order_of_many_with_one_line():
    line = {"productId": "p", "quantity": 2, "productPrice": 19.9}
    one, many = OneItem.model_validate(line), ManyItems.model_validate({"items": [line]})
    assert one.requested_items() == many.requested_items() == [RequestedItem(product_id="p", quantity=2, price=1990)]


@pytest.mark.parametrize(
    ("price", "minor"), [("0", 0), (0.1, 10), ("19.9", 1990), (5, 500), (99999.99, 9_999_999), (None, None)]
)
def test_prices_come_as_texts_or_numbers(price, minor):
    body = OneItem.model_validate({"productId": "p", "quantity": 1, "productPrice": price})
    assert body.product_price == minor


def test_an_address_is_read_and_its_second_line_is_optional():
    address = ShippingAddress(name="Ann", line1="Street 1", city="Oslo", postal_code="0150", country="no")
    body = OneItem.model_validate({"productId": "p", "quantity": 1, "shippingAddress": ADDRESS})
    assert body.address() == address
    body = OneItem.model_validate({"productId": "p", "quantity": 1, "shippingAddress": {**ADDRESS, "line2": None}})
    assert body.address() == address


@pytest.mark.parametrize("missing", ["name", "line1", "city", "postalCode", "country"])
def test_an_address_is_whole_or_not_there(missing):
    address = {name: value for name, value in ADDRESS.items() if name != missing}
    with pytest.raises(ValidationError):
        OneItem.model_validate({"productId": "p", "quantity": 1, "shippingAddress": address})
