"""An order gets all its lines or none, once, and one reply."""

from operator import attrgetter

import orjson
import pytest
from bson import ObjectId

from product_service import store
from product_service.events.topics import GROUP
from product_service.store.documents import db, movements, reservations
from product_service.tests.integration.conftest import HANDLERS, order_event


def replies(pending, order):
    """(topic, data) of the events for order_service."""
    return [(row["topic"], orjson.loads(row["payload"])) for row in pending(order.subject)]


def test_an_order_takes_its_pieces_and_gets_a_reply(make, place, pending, moved):
    product = make(stock=7, price="19.90")
    order = place((product["id"], 3, "19.90"))
    items = [{"productId": product["id"], "quantity": 3, "unitPrice": "19.90"}]
    data = {"orderId": order.subject, "items": items, "reason": None, "shortages": []}
    assert replies(pending, order) == [("stock-reserved", data)]
    assert moved(product["id"]) == [7, -3]
    movement = movements().find_one({"ref": order.subject})
    assert (movement["product"], movement["reason"]) == (ObjectId(product["id"]), "reserved")
    assert reservations().find_one({"_id": order.subject})["state"] == "RESERVED"


def test_a_reservation_publishes_no_product_event_and_makes_no_version(client, make, place, pending):
    product = make(stock=7)
    place((product["id"], 3, "19.90"))
    shown = client.get(f"/products/{product['id']}").json
    assert shown == product | {"stock": 4}
    assert [row["topic"] for row in pending(product["id"])] == ["product-created"]


def test_an_order_gets_all_of_its_lines_or_none(make, place, pending, moved):
    enough, few, none = make(stock=9), make(stock=2), make(stock=0)
    order = place((enough["id"], 3, "19.90"), (few["id"], 3, "19.90"), (none["id"], 1, "19.90"))
    (topic, data), *more = replies(pending, order)
    assert (topic, data["reason"], more) == ("stock-rejected", "out_of_stock", [])
    assert data["shortages"] == [
        {"productId": few["id"], "wanted": 3, "available": 2},
        {"productId": none["id"], "wanted": 1, "available": 0},
    ]
    assert [moved(product["id"]) for product in (enough, few, none)] == [[9], [2], []]
    assert not movements().count_documents({"ref": order.subject})
    assert reservations().find_one({"_id": order.subject})["state"] == "REJECTED"


def test_lines_of_the_same_product_count_together(make, place, pending, moved):
    product = make(stock=5)
    line = (product["id"], 2, "19.90")
    assert replies(pending, place(line, line, line))[0][1]["shortages"] == [
        {"productId": product["id"], "wanted": 6, "available": 5}
    ]
    topic, data = replies(pending, place(line, line))[0]
    assert (topic, len(data["items"])) == ("stock-reserved", 2)
    assert moved(product["id"]) == [5, -4]


def test_a_product_that_is_unknown_or_inactive_is_named_as_withdrawn(client, staff, make, place, pending):
    inactive, unknown = make(), str(ObjectId())
    client.delete(f"/products/{inactive['id']}", headers=staff)
    topic, data = replies(pending, place((inactive["id"], 1, "19.90"), (unknown, 2, "1.00")))[0]
    assert topic == "stock-rejected"
    assert data["shortages"] == [
        {"productId": inactive["id"], "wanted": 1, "available": 0, "reason": "withdrawn"},
        {"productId": unknown, "wanted": 2, "available": 0, "reason": "withdrawn"},
    ]


def test_fifty_lines_fit_into_one_reservation(make, place, pending, moved):
    made = [make(stock=1)["id"] for _ in range(50)]
    order = place(*((product, 1, "19.90") for product in made))
    assert replies(pending, order)[0][0] == "stock-reserved"
    assert [moved(product) for product in made] == [[1, -1]] * 50


@pytest.mark.parametrize("stock", [5, 0], ids=["reserved", "rejected"])
def test_an_order_that_comes_again_gets_the_very_same_reply(make, place, pending, stock, stock_of):
    product = make(stock=stock)
    order = place((product["id"], 1, "19.90"))
    first, kept = pending(order.subject), reservations().find_one({"_id": order.subject})
    HANDLERS[GROUP][order.type](order)
    assert pending(order.subject) == first  # the relay has not published the reply yet
    outbox = db()["outbox"]
    outbox.delete_one({"_id": first[0]["_id"]})
    left = stock_of(product["id"])
    HANDLERS[GROUP][order.type](order)
    again = pending(order.subject)
    assert [{**row, "created_at": None} for row in again] == [{**row, "created_at": None} for row in first]
    assert reservations().find_one({"_id": order.subject}) == kept
    assert stock_of(product["id"]) == left


def test_a_decision_stays(client, staff, make, place, pending, moved):
    product = make(stock=0)
    order = place((product["id"], 1, "19.90"))
    client.patch(f"/products/{product['id']}", json={"stock": 5}, headers=staff)
    HANDLERS[GROUP][order.type](order)
    assert [topic for topic, _ in replies(pending, order)] == ["stock-rejected"]
    assert moved(product["id"]) == [5]


@pytest.mark.parametrize("step", ["products.apply_movements", "reservations.write"])
def test_a_reservation_that_fails_halfway_leaves_nothing_and_can_be_repeated(make, pending, moved, monkeypatch, step):
    product = make(stock=5)
    order = order_event("order-placed", [(product["id"], 2, "19.90")])
    real = attrgetter(step)(store)

    def then_fail(*arguments, **options):
        real(*arguments, **options)
        raise RuntimeError("failed here")

    with monkeypatch.context() as patch:
        patch.setattr(f"product_service.store.{step}", then_fail)
        with pytest.raises(RuntimeError, match="failed here"):
            HANDLERS[GROUP][order.type](order)
    assert moved(product["id"]) == [5]
    assert pending(order.subject) == []
    assert reservations().find_one({"_id": order.subject}) is None
    HANDLERS[GROUP][order.type](order)
    assert moved(product["id"]) == [5, -2]
    assert len(pending(order.subject)) == 1
