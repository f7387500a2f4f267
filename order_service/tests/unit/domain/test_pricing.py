"""Prices of an order, without a database."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from libs.values.money import Money
from order_service.domain.errors import MixedCurrencies, PriceChanged, TotalTooLarge, UnknownProduct
from order_service.domain.pricing import (
    MAX_TOTAL,
    CatalogueProduct,
    RequestedItem,
    floor_time,
    newest,
    price_lines,
    products_in_doubt,
)


def product(product_id: str, minor: int, currency: str = "USD") -> CatalogueProduct:
    moment = datetime(2026, 1, 31, tzinfo=UTC)
    price = Money(minor, currency)
    return CatalogueProduct(
        id=product_id, name=f"Lamp {product_id}", price=price, active=True, version=7, updated_at=moment
    )


def item(product_id: str, quantity: int = 1, price: int | None = None) -> RequestedItem:
    return RequestedItem(product_id=product_id, quantity=quantity, price=price)


def test_lines_have_the_name_price_and_version_of_the_catalogue():
    [line] = price_lines([item("a", 3, 1990)], {"a": product("a", 1990)})
    assert (line.name, line.unit_price, line.product_version, line.total) == (
        "Lamp a",
        Money(1990, "USD"),
        7,
        Money(5970, "USD"),
    )


def test_products_that_are_unknown_are_named():
    with pytest.raises(UnknownProduct) as refused:
        price_lines([item("a"), item("b"), item("c")], {"b": product("b", 1)})
    assert refused.value.extra == {"products": ["a", "c"]}


def test_prices_that_changed_are_named():
    with pytest.raises(PriceChanged) as refused:
        price_lines([item("a", price=0), item("b")], {"a": product("a", 1990), "b": product("b", 1)})
    assert refused.value.extra == {"prices": [{"productId": "a", "price": "19.90"}]}


def test_an_order_has_one_currency():
    with pytest.raises(MixedCurrencies):
        price_lines([item("a"), item("b")], {"a": product("a", 1), "b": product("b", 1, "EUR")})


def test_a_total_fits_its_column():
    assert price_lines([item("a")], {"a": product("a", MAX_TOTAL)})
    with pytest.raises(TotalTooLarge):
        price_lines([item("a", 2)], {"a": product("a", MAX_TOTAL)})


def test_a_floor_of_versions_says_when_it_was_made():
    assert floor_time(4_320_050) == datetime(2026, 1, 31, 0, 0, 30, tzinfo=UTC)


def test_products_are_in_doubt_when_the_replica_lacks_them_or_has_another_price():
    known = {"a": product("a", 1990), "b": product("b", 1), "c": product("c", 5)}
    assert products_in_doubt([item("a", price=1990), item("b")], known) == set()
    assert products_in_doubt([item("a", price=0), item("b", price=1), item("c"), item("d")], known) == {"a", "d"}


def test_the_newer_version_of_a_product_counts_and_one_that_is_not_offered_is_not_sold():
    known = {key: product(key, 1) for key in "abc"}  # version 7
    newer, older = replace(product("a", 2), version=8), replace(product("b", 2), version=6)
    found = newest(known, {"a": newer, "b": older, "d": product("d", 4)}, {"a", "b", "d"})
    assert found == {"a": newer, "b": known["b"], "c": known["c"], "d": product("d", 4)}
    assert newest(known, {}, {"a"}) == {"b": known["b"], "c": known["c"]}
