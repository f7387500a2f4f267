"""The replica follows product-* events in whatever order they come."""

import itertools

import pytest

from libs.messaging.envelope import Event
from libs.messaging.failures import PermanentFailure
from order_service.events.topics import CATALOGUE_GROUP
from order_service.store.models import CatalogueProduct
from order_service.worker.handlers import HANDLERS

pytestmark = pytest.mark.django_db

ID = "64f00000000000000000000a"
FIRST = {
    "id": ID,
    "sku": None,
    "name": "Lamp",
    "price": "19.90",
    "currency": "USD",
    "category": None,
    "active": True,
    "version": 1,
    "stock": 5,
    "updatedAt": "2026-01-31T12:00:00.250Z",
}
HISTORY = [
    FIRST,
    FIRST | {"version": 2, "name": "Brass lamp é", "price": "25.00", "updatedAt": "2026-01-31T13:00:00.000Z"},
    FIRST | {"version": 3, "active": False, "updatedAt": "2026-01-31T14:00:00.000Z"},
]


def follow(data, topic="product-updated", subject=ID):
    HANDLERS[CATALOGUE_GROUP][topic](Event("01M82CEBY32RNQGJ072R3P5R7Z", topic, subject, 1, "", data))


def row():
    return CatalogueProduct.objects.values_list("name", "price", "active", "version").get(product_id=ID)


def test_a_product_is_kept_as_it_was_published():
    follow(HISTORY[1], "product-created")
    kept = CatalogueProduct.objects.get(product_id=ID)
    assert (kept.name, str(kept.price), kept.currency, kept.active, kept.version) == (
        "Brass lamp é",
        "25.00",
        "USD",
        True,
        2,
    )
    assert kept.updated_at.isoformat() == "2026-01-31T13:00:00+00:00"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_newest_version_wins_in_whatever_order_events_come_and_come_again(order):
    for number in (*order, *order):
        follow(HISTORY[number])
    assert (row()[2], row()[3]) == (False, 3)


def test_a_deleted_product_stays_inactive_when_an_older_event_comes_late():
    follow(HISTORY[2], "product-deleted")
    follow(HISTORY[1])
    assert row()[2] is False


def test_the_same_version_repairs_a_wrong_row():
    follow(HISTORY[1])
    CatalogueProduct.objects.update(price="0.01")
    follow(HISTORY[1])
    assert str(row()[1]) == "25.00"


def test_an_event_is_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        follow(HISTORY[0])


BAD = {
    "id": [None, "", 7],
    "name": ["", "x" * 201, "two\nlines"],
    "price": ["-1.00", "1.999", "99999999999.99", "much", "NaN", None, True],
    "currency": ["usd", "", None],
    "active": ["yes", None],
    "version": [0, "1", 2**31, None],
    "updatedAt": ["yesterday", "2026-01-31T12:00:00", None],
}


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, values in BAD.items() for v in values])
def test_an_event_that_makes_no_sense_changes_nothing(field, value):
    with pytest.raises(PermanentFailure, match=f"data: {field}"):
        follow(FIRST | {field: value})
    assert not CatalogueProduct.objects.exists()


def test_a_key_that_is_not_the_products_id_is_refused():
    with pytest.raises(PermanentFailure):
        follow(FIRST, subject="another")


def test_fields_that_this_service_does_not_know_may_come():
    follow(FIRST | {"colour": "red"})
    assert row()[3] == 1
