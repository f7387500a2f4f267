"""The currency belongs to the price: a new setting relabels nothing."""

import pytest

from product_service.store.documents import db, products, reservations
from product_service.store.products import count_other_currencies
from product_service.worker.retention import make_retention


@pytest.fixture
def in_euro(app, config):
    """The shop's setting is changed to EUR."""
    app.extensions["config"] = config.model_copy(update={"shop_currency": "EUR"})
    yield
    app.extensions["config"] = config


def shown(client, product):
    found = client.get(f"/products/{product['id']}").json
    return found["price"], found["currency"]


def test_a_new_setting_relabels_no_price(client, staff, make, in_euro, app, config):
    app.extensions["config"] = config
    product = make(price="19.90")
    app.extensions["config"] = config.model_copy(update={"shop_currency": "EUR"})
    path = f"/products/{product['id']}"
    assert shown(client, product) == ("19.90", "USD")
    for change in ({"name": "Chair"}, {"stock": 3}, {"active": False}, {"active": True}):
        assert client.patch(path, json=change, headers=staff).json["currency"] == "USD"
    assert client.post(f"{path}/stock", json={"delta": 1, "reason": "x"}, headers=staff).json["currency"] == "USD"
    before = client.get(path).json["version"]
    changed = client.patch(path, json={"price": "19.90"}, headers=staff).json
    assert (changed["price"], changed["currency"], changed["version"]) == ("19.90", "EUR", before + 1)


def test_a_replacement_and_a_new_product_have_the_setting(client, staff, make, pending, in_euro, app, config):
    app.extensions["config"] = config
    product = make()
    app.extensions["config"] = config.model_copy(update={"shop_currency": "EUR"})
    replaced = client.put(f"/products/{product['id']}", json={"name": "Lamp", "price": "1.00"}, headers=staff)
    assert replaced.json["currency"] == make()["currency"] == "EUR"
    assert b'"currency":"EUR"' in pending(product["id"])[-1]["payload"].encode()


def test_an_order_in_another_currency_is_not_filled_at_the_new_price(client, staff, make, place, in_euro, app, config):
    app.extensions["config"] = config
    product, kept = make(price="19.90"), make(price="5.00")
    app.extensions["config"] = config.model_copy(update={"shop_currency": "EUR"})
    client.patch(f"/products/{product['id']}", json={"price": "18.90"}, headers=staff)
    assert db()["price_history"].find_one({"_id": f"{product['id']} 1990 USD"})
    orders = [place((product["id"], 1, price)) for price in ("19.90", "18.90")] + [place((kept["id"], 1, "5.00"))]
    found = [reservations().find_one({"_id": order.subject}) for order in orders]
    assert [row["state"] for row in found] == ["RESERVED", "REJECTED", "RESERVED"]
    assert {item["currency"] for row in found for item in row["items"]} == {"USD"}


def test_products_of_another_currency_are_counted(make, app):
    before = count_other_currencies("USD")
    product = make()
    assert count_other_currencies("USD") == before
    products().update_one({"name": product["name"]}, {"$set": {"currency": "EUR"}})
    assert make_retention("USD").status()["otherCurrencies"] == before + 1
    products().update_one({"name": product["name"]}, {"$set": {"currency": "USD"}})
    plan = products().find({"currency": {"$nin": ["USD", None]}}).explain()
    assert "'indexName': 'currency'" in str(plan["queryPlanner"]["winningPlan"])
