"""The reservation checks the prices again."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from bson import ObjectId

from libs.values.times import now
from product_service.domain.price_history import PRICE_RETENTION
from product_service.store.documents import db, products
from product_service.store.indexes import ensure_indexes, fill_missing_fields

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


def test_an_order_that_comes_after_a_long_outage_still_gets_its_price(make, set_price, place, outcome):
    product = make(price="10.00")
    set_price(product, "12.00")
    set_price(product, "14.00")
    ended = now() - PRICE_RETENTION + timedelta(hours=1)
    db()["price_history"].update_many({}, {"$set": {"until": ended}})
    order = place((product["id"], 1, "10.00"), placed_at=ended + timedelta(minutes=9))
    assert outcome(order) == ("stock-reserved", None)


def test_a_price_that_comes_back_is_kept_once_with_its_last_end(make, set_price):
    product = make(price="10.00")
    for price in ("12.00", "10.00", "12.00"):
        set_price(product, price)
    kept = {row["_id"]: row["until"] for row in db()["price_history"].find({"_id": {"$regex": f"^{product['id']} "}})}
    assert set(kept) == {f"{product['id']} 1000 USD", f"{product['id']} 1200 USD"}
    changed = products().find_one({"_id": ObjectId(product["id"])})["updated_at"]
    assert kept[f"{product['id']} 1000 USD"] == changed


def test_mongodb_deletes_prices_after_fourteen_days(app):
    ensure_indexes()
    index = db()["price_history"].index_information()["until"]
    assert index["expireAfterSeconds"] == 14 * 24 * 3600


def test_a_change_of_another_field_ends_no_price(client, staff, make):
    product = make(price="10.00")
    client.patch(f"/products/{product['id']}", json={"description": "New"}, headers=staff)
    assert not db()["price_history"].count_documents({"_id": {"$regex": f"^{product['id']} "}})


def test_prices_that_an_earlier_version_kept_in_the_product_are_moved(make, place, outcome):
    product, key = make(price="10.00"), {"_id": None}
    key["_id"] = ObjectId(product["id"])
    products().create_index([("price_log.until", 1)], name="price_log", sparse=True)
    log = [
        {"price_minor": 700, "currency": "USD", "until": now() - 2 * MINUTE},
        {"price_minor": 800, "until": now() - MINUTE},  # older still: without a currency
        {"price_minor": 700, "currency": "USD", "until": now()},
    ]
    products().update_one(key, {"$set": {"price_log": log}})
    fill_missing_fields("USD")
    fill_missing_fields("USD")
    assert "price_log" not in products().find_one(key)
    assert "price_log" not in products().index_information()
    for price in ("7.00", "8.00"):
        assert outcome(place((product["id"], 1, price))) == ("stock-reserved", None)


def test_the_earlier_prices_are_not_public(client, make, set_price):
    product = make(price="10.00")
    set_price(product, "12.00")
    shown = client.get(f"/products/{product['id']}").json
    listed = client.get("/products", query_string={"search": product["name"]}).json["results"]
    assert listed == [shown]
    assert set(shown) == set(product)
