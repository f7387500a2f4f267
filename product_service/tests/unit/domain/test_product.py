"""The versions, revisions, prices and sort keys of products."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs.values.money import Money
from product_service.domain.product import SORT_KEY_LENGTH, Product, sort_key

MADE = datetime(2026, 1, 31, 12, tzinfo=UTC)
LATER = MADE + timedelta(hours=1)
LAMP = Product(id="a" * 24, name="Lamp", price=Money(300, "USD"), stock=12, version=3, created_at=MADE, updated_at=MADE)


def usd(minor):
    return Money(minor, "USD")


def changed(product, **fields):
    return product.with_changes(at=LATER, **fields)


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
