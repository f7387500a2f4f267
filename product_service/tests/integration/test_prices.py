"""The reservation checks the prices again."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from bson import ObjectId

from libs.values.times import now
from product_service.domain.price_history import price_memory
from product_service.store.documents import products
from product_service.store.products import purge_prices

MINUTE = timedelta(minutes=1)


@pytest.fixture
def set_price(client, staff):
    def change(product, price):
        assert client.patch(f"/products/{product['id']}", json={"price": price}, headers=staff).status_code == 200

    return change


@pytest.fixture
def outcome(pending):
    """`outcome(order)`: (topic, reason) of the order's reply."""

    def read(order):
        (row,) = pending(order.subject)
        return row["topic"], orjson.loads(row["payload"])["reason"]

    return read


def test_the_price_of_a_moment_ago_is_taken(make, set_price, place, outcome):
    product = make(price="10.00")
    set_price(product, "12.00")
    set_price(product, "14.00")
    for price in ("10.00", "12.00", "14.00"):
        assert outcome(place((product["id"], 1, price))) == ("stock-reserved", None)


def test_a_price_that_never_was_is_refused(make, set_price, place, outcome, moved):
    product = make(price="10.00", stock=5)
    set_price(product, "12.00")
    assert outcome(place((product["id"], 1, "11.00"))) == ("stock-rejected", "price_changed")
    assert moved(product["id"]) == [5]


@pytest.mark.parametrize(
    ("minutes", "expected"), [(9, ("stock-reserved", None)), (11, ("stock-rejected", "price_changed"))]
)
def test_a_price_counts_for_ten_minutes_after_its_end(make, set_price, place, outcome, minutes, expected):
    product = make(price="10.00")
    set_price(product, "12.00")
    order = place((product["id"], 1, "10.00"), placed_at=datetime.now(UTC) + minutes * MINUTE)
    assert outcome(order) == expected


def test_one_wrong_price_rejects_the_whole_order(make, place, outcome, moved):
    right, wrong = make(stock=5, price="10.00"), make(stock=5, price="10.00")
    assert outcome(place((right["id"], 1, "10.00"), (wrong["id"], 1, "1.00"))) == ("stock-rejected", "price_changed")
    assert (moved(right["id"]), moved(wrong["id"])) == ([5], [5])


def test_an_order_that_comes_late_still_knows_its_price(make, set_price, place, outcome):
    product = make(price="10.00")
    placed_at = datetime.now(UTC) - 29 * MINUTE
    set_price(product, "12.00")
    assert outcome(place((product["id"], 1, "10.00"), placed_at=placed_at)) == ("stock-reserved", None)


def test_old_prices_are_purged_and_young_ones_are_not(make, set_price):
    product, key = make(price="10.00"), {"_id": None}
    key["_id"] = ObjectId(product["id"])
    set_price(product, "12.00")
    products().update_one(key, {"$set": {"price_log.0.until": now() - 41 * MINUTE}})
    set_price(product, "14.00")
    log = products().find_one(key)["price_log"]
    assert [entry["price_minor"] for entry in log] == [1200]
    set_price(product, "16.00")
    products().update_one(key, {"$set": {"price_log.0.until": now() - 41 * MINUTE}})
    assert purge_prices(price_memory(1800)) == 1
    assert [entry["price_minor"] for entry in products().find_one(key)["price_log"]] == [1400]
    assert purge_prices(price_memory(1800)) == 0


def test_the_earlier_prices_are_not_public(client, make, set_price):
    product = make(price="10.00")
    set_price(product, "12.00")
    shown = client.get(f"/products/{product['id']}").json
    listed = client.get("/products", query_string={"search": product["name"]}).json["results"]
    assert listed == [shown]
    assert set(shown) == set(product)
