"""The versions, revisions, prices and sort keys of products."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs.values.money import Money
from product_service.domain.price_history import PRICE_AGE, EarlierPrice, price_memory
from product_service.domain.product import SORT_KEY_LENGTH, Product, sort_key

MADE = datetime(2026, 1, 31, 12, tzinfo=UTC)
LATER = MADE + timedelta(hours=1)
SECOND = timedelta(seconds=1)
LAMP = Product(id="a" * 24, name="Lamp", price=Money(300, "USD"), stock=12, version=3, created_at=MADE, updated_at=MADE)


def usd(minor):
    return Money(minor, "USD")


def lamp(*earlier):
    """With price 300 now, and these (price, until) before."""
    return replace(LAMP, price_history=tuple(EarlierPrice(price=usd(price), until=until) for price, until in earlier))


def changed(product, **fields):
    return product.with_changes(at=LATER, price_memory=price_memory(1800), **fields)


@pytest.mark.parametrize(
    ("name", "key"), [("Lamp", "lamp"), ("ÉCLAIR", "eclair"), ("Straße", "strasse"), ("x" * 200, "x" * SORT_KEY_LENGTH)]
)
def test_names_are_sorted_without_case_and_accents(name, key):
    assert sort_key(name) == key


def test_a_revision_names_version_and_stock():
    assert LAMP.revision == "3.12"


@pytest.mark.parametrize(
    ("revisions", "any_stock", "this_stock"),
    [({"3.12"}, True, True), ({"3.11"}, True, False), ({"4.12"}, False, False), ({"1.1", "3.12"}, True, True)],
)
def test_a_product_is_at_a_revision_with_its_stock_or_with_any(revisions, any_stock, this_stock):
    assert LAMP.is_at(revisions, with_stock=False) is any_stock
    assert LAMP.is_at(revisions, with_stock=True) is this_stock


def test_a_change_of_catalogue_data_makes_a_version():
    assert changed(LAMP, name="Light", category="Lighting") == replace(
        LAMP, name="Light", category="Lighting", version=4, updated_at=LATER
    )
    assert changed(LAMP, name="Light", stock=5).version == 4


def test_a_change_of_the_stock_alone_makes_none():
    assert changed(LAMP, stock=5) == replace(LAMP, stock=5)


def test_equal_fields_change_nothing():
    assert changed(LAMP) == changed(LAMP, name="Lamp", price=usd(300), sku=None, active=True) == LAMP


def test_a_withdrawn_product_is_inactive_and_cannot_be_withdrawn_again():
    withdrawn = LAMP.withdrawn(at=LATER)
    assert withdrawn == replace(LAMP, active=False, version=4, updated_at=LATER) == changed(LAMP, active=False)
    assert withdrawn.withdrawn(at=LATER) is withdrawn


def test_a_price_that_changes_ends_in_the_history():
    product = changed(changed(LAMP, price=usd(400)), name="Light")
    assert product.price_history == (EarlierPrice(price=usd(300), until=LATER),)


def test_the_present_price_may_be_named():
    assert LAMP.had_price(usd(300), MADE)
    assert not LAMP.had_price(usd(299), MADE)
    assert not LAMP.had_price(Money(300, "EUR"), MADE)


@pytest.mark.parametrize(
    ("ended", "fair"),
    [(MADE - PRICE_AGE - SECOND, False), (MADE - PRICE_AGE, True), (MADE - SECOND, True), (MADE + SECOND, True)],
)
def test_an_earlier_price_may_be_named_if_it_ended_within_the_ten_minutes_before_the_order_or_later(ended, fair):
    assert lamp((200, ended)).had_price(usd(200), MADE) is fair
    assert not lamp((200, ended)).had_price(usd(100), MADE)


def test_a_price_that_came_back_is_known_by_its_last_end():
    old, new = MADE - 2 * PRICE_AGE, MADE - SECOND
    assert lamp((200, old), (100, old), (200, new)).had_price(usd(200), MADE)
    assert not lamp((200, old), (100, old), (200, new)).had_price(usd(100), MADE)
