"""What a body may hold."""

import pytest
from pydantic import ValidationError

from libs.values.errors import Invalid
from libs.values.schema import validated
from order_service.api.schemas import ManyItems, OneItem
from order_service.domain.order import ShippingAddress
from order_service.domain.pricing import RequestedItem

ADDRESS = {"name": "Ann", "line1": "Street 1", "city": "Oslo", "postalCode": "0150", "country": "NO"}


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
    address = ShippingAddress(name="Ann", line1="Street 1", city="Oslo", postal_code="0150", country="NO")
    body = OneItem.model_validate({"productId": "p", "quantity": 1, "shippingAddress": ADDRESS})
    assert body.address() == address
    body = OneItem.model_validate({"productId": "p", "quantity": 1, "shippingAddress": {**ADDRESS, "line2": None}})
    assert body.address() == address


@pytest.mark.parametrize("product_id", ["p ", " p", "\u3000p"])
def test_the_id_of_a_product_is_taken_as_it_was_sent(product_id):
    assert validated(OneItem, {"productId": product_id, "quantity": 1}).product_id == product_id


@pytest.mark.parametrize("product_id", ["p\n", " ", "", "p\u200b"])
def test_no_product_has_such_an_id(product_id):
    with pytest.raises(Invalid) as error:
        validated(OneItem, {"productId": product_id, "quantity": 1})
    assert [row["field"] for row in error.value.errors] == ["productId"]


@pytest.mark.parametrize("missing", ["name", "line1", "city", "postalCode", "country"])
def test_an_address_is_whole_or_not_there(missing):
    address = {name: value for name, value in ADDRESS.items() if name != missing}
    with pytest.raises(ValidationError):
        OneItem.model_validate({"productId": "p", "quantity": 1, "shippingAddress": address})


def address_of(**changes):
    return validated(OneItem, {"productId": "p", "quantity": 1, "shippingAddress": {**ADDRESS, **changes}}).address()


def refused(**changes):
    with pytest.raises(Invalid) as error:
        address_of(**changes)
    return [(row["field"].removeprefix("shippingAddress."), row["code"]) for row in error.value.errors]


@pytest.mark.parametrize("country", ["HK", "AE", "IE", "PA"])
@pytest.mark.parametrize("empty", [{}, {"postalCode": ""}, {"postalCode": None}, {"postalCode": "  "}])
def test_a_country_without_postal_codes_needs_none(country, empty):
    address = {name: value for name, value in ADDRESS.items() if name != "postalCode"} | {"country": country} | empty
    body = validated(OneItem, {"productId": "p", "quantity": 1, "shippingAddress": address})
    assert body.address().postal_code is None


def test_a_city_may_be_the_whole_country():
    assert address_of(country="SG", city="").city is None


@pytest.mark.parametrize("empty", ["", None, " \u00a0"])
@pytest.mark.parametrize(
    ("field", "country"), [("postalCode", "DE"), ("city", "DE"), ("postalCode", "SG"), ("city", "HK")]
)
def test_what_a_country_needs_is_missing_when_it_is_empty(field, country, empty):
    assert refused(country=country, **{field: empty}) == [(field, "missing")]


@pytest.mark.parametrize(("sent", "kept"), [("DE", "DE"), ("de", "DE"), ("dE", "DE")])
def test_a_country_is_kept_in_upper_case(sent, kept):
    assert address_of(country=sent).country == kept


@pytest.mark.parametrize(
    "country", ["XX", "ZZ", "XK", "UK", "D", "DEU", "Germany", "", "D\u0130", "\uff24\uff25", " DE"]
)
def test_what_is_no_country_of_iso_3166_1_is_refused(country):
    assert refused(country=country) == [("country", "unknown-country")]


@pytest.mark.parametrize("line2", ["", "   ", None])
def test_an_empty_optional_line_is_absent(line2):
    assert address_of(line2=line2).line2 is None


def test_a_product_that_is_named_twice_is_a_fault_of_the_items():
    item = {"productId": "p", "quantity": 1}
    with pytest.raises(Invalid) as error:
        validated(ManyItems, {"items": [item, item]})
    assert [(row["field"], row["code"]) for row in error.value.errors] == [("items", "duplicate-product")]
