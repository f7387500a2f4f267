"""Stock is never below zero and always the sum of its movements, whatever happens at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import orjson
import pytest
from bson import ObjectId
from pymongo.errors import WriteError

from libs.values.money import Money
from libs.values.times import now
from product_service.domain.product import StockMovement
from product_service.events.published import ProductUpdated
from product_service.store import products as store
from product_service.store.documents import products

MINUTE = timedelta(minutes=1)


def adjust(client, staff, product_id, delta, reason="counted"):
    return client.post(f"/products/{product_id}/stock", json={"delta": delta, "reason": reason}, headers=staff)


def test_an_adjustment_moves_the_stock_and_nothing_else(client, staff, make, pending, moved):
    product = make(stock=7)
    answer = adjust(client, staff, product["id"], -2, "broken")
    assert answer.json == product | {"stock": 5}
    assert answer.headers["ETag"] == '"1.5"'
    assert moved(product["id"]) == [7, -2]
    assert len(pending(product["id"])) == 1


@pytest.mark.parametrize("delta", [-8, 10_000_000])
def test_the_stock_stays_in_its_range(client, staff, make, moved, delta):
    product = make(stock=7)
    answer = adjust(client, staff, product["id"], delta)
    assert (answer.status_code, answer.json["code"]) == (409, "stock-out-of-range")
    assert moved(product["id"]) == [7]


@pytest.mark.parametrize(
    "body",
    [
        {"delta": 1},
        {"reason": "x"},
        {"delta": 1.5, "reason": "x"},
        {"delta": 0, "reason": "x"},
        {"delta": "1", "reason": "x"},
        {"delta": 1, "reason": ""},
        {"delta": 10**30, "reason": "x"},
    ],
)
def test_odd_adjustments_are_refused(client, staff, make, body):
    assert client.post(f"/products/{make()['id']}/stock", json=body, headers=staff).status_code == 400


def test_the_stock_may_be_set_and_the_difference_is_recorded(client, staff, make, moved, pending):
    product = make(stock=7)
    answer = client.patch(f"/products/{product['id']}", json={"stock": 3}, headers=staff)
    assert answer.json == product | {"stock": 3}
    assert moved(product["id"]) == [7, -4]
    assert len(pending(product["id"])) == 1


def test_a_price_and_a_stock_set_together_are_one_version_and_one_event(client, staff, make, moved, pending):
    product = make(stock=7)
    changed = client.patch(f"/products/{product['id']}", json={"stock": 9, "price": "1.00"}, headers=staff).json
    assert (changed["stock"], changed["price"], changed["version"]) == (9, "1.00", 2)
    assert moved(product["id"]) == [7, 2]
    assert len(pending(product["id"])) == 2


def test_of_fifty_requests_at_once_as_many_succeed_as_there_are_pieces(app, staff, make, moved):
    product = make(stock=20)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: adjust(app.test_client(), staff, product["id"], -1), range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] * 20 + [409] * 30
    assert moved(product["id"]) == [20] + [-1] * 20


def test_changes_at_once_make_versions_and_events_without_gaps(app, staff, make, pending, moved):
    product = make(stock=1000)

    def change(number):
        client, path = app.test_client(), f"/products/{product['id']}"
        if number % 3 == 0:
            return adjust(client, staff, product["id"], -1).status_code
        return client.patch(path, json={"price": f"{number}.00"}, headers=staff).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(change, range(30)))
    assert statuses == [200] * 30
    rows = pending(product["id"])
    assert [row["sequence"] for row in rows] == list(range(1, 22))
    assert moved(product["id"]) == [1000] + [-1] * 10
    assert app.test_client().get(f"/products/{product['id']}").json["version"] == 21


def test_a_change_of_an_old_state_is_not_made(make, pending, moved):
    product = make(stock=7)
    read = store.find(product["id"], currency="USD")
    cheaper = read.with_changes(at=now(), price=Money(1, "USD"))
    fuller = read.with_changes(at=now(), stock=9)
    adjusted = store.adjust(StockMovement(product_id=read.id, delta=-1, reason="broken", at=now()), currency="USD")
    assert store.update(read, fuller, actor="staff") is None
    changed = store.update(read, cheaper, ProductUpdated, actor="staff")
    assert (changed.version, changed.stock) == (2, adjusted.stock)
    assert orjson.loads(pending(product["id"])[-1]["payload"])["stock"] == 6
    assert store.update(read, cheaper, ProductUpdated, actor="staff") is None
    assert (moved(product["id"]), len(pending(product["id"]))) == ([7, -1], 2)


def test_the_database_itself_refuses_a_negative_stock(app, make):
    product = make(stock=1)
    with pytest.raises(WriteError):
        products().update_one({"_id": ObjectId(product["id"])}, {"$inc": {"stock": -2}})
