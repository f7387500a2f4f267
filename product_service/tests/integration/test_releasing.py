"""A cancelled order gives its pieces back once, in whatever order its events come."""

import pytest
from bson import ObjectId

from product_service.events.topics import GROUP
from product_service.store.documents import db, products, reservations
from product_service.tests.integration.conftest import HANDLERS, order_event


def state_of(order):
    return reservations().find_one({"_id": order.subject})["state"]


def test_a_cancelled_order_gives_its_pieces_back(make, place, cancel, moved):
    product, other = make(stock=7), make(stock=2)
    order = place((product["id"], 3, "19.90"), (other["id"], 1, "19.90"), (product["id"], 1, "19.90"))
    cancel(order)
    assert moved(product["id"]) == [7, -4, 4]
    assert moved(other["id"]) == [2, -1, 1]
    assert state_of(order) == "RELEASED"


def test_cancelling_twice_gives_back_once(make, place, cancel, moved):
    product = make(stock=7)
    order = place((product["id"], 3, "19.90"))
    cancel(order)
    cancel(order)
    assert moved(product["id"]) == [7, -3, 3]


def test_an_order_that_was_cancelled_first_gets_nothing_and_no_reply(make, cancel, moved, pending):
    product = make(stock=7)
    order = order_event("order-placed", [(product["id"], 3, "19.90")])
    cancel(order)
    HANDLERS[GROUP][order.type](order)
    assert moved(product["id"]) == [7]
    assert pending(order.subject) == []
    assert state_of(order) == "RELEASED"


def test_an_order_that_comes_again_after_its_cancellation_gets_nothing(make, place, cancel, moved, pending):
    product = make(stock=7)
    order = place((product["id"], 3, "19.90"))
    db()["outbox"].delete_many({"aggregate_id": order.subject})
    cancel(order)
    HANDLERS[GROUP][order.type](order)
    assert moved(product["id"]) == [7, -3, 3]
    assert pending(order.subject) == []


def test_a_rejected_order_has_nothing_to_give_back(make, place, cancel, moved):
    product = make(stock=2)
    order = place((product["id"], 3, "19.90"))
    cancel(order)
    assert moved(product["id"]) == [2]
    assert state_of(order) == "REJECTED"


def test_a_withdrawn_product_takes_its_pieces_back(client, staff, make, place, cancel, moved):
    product = make(stock=7)
    order = place((product["id"], 3, "19.90"))
    client.delete(f"/products/{product['id']}", headers=staff)
    cancel(order)
    assert moved(product["id"]) == [7, -3, 3]
    assert products().find_one({"_id": ObjectId(product["id"])})["active"] is False


def test_a_release_that_fails_halfway_is_repeated_in_full(make, place, cancel, moved, monkeypatch):
    product = make(stock=7)
    order = place((product["id"], 3, "19.90"))

    def fail(*_arguments):
        raise RuntimeError("failed here")

    with monkeypatch.context() as patch:
        patch.setattr("product_service.store.products.apply_movements", fail)
        with pytest.raises(RuntimeError, match="failed here"):
            cancel(order)
    assert (state_of(order), moved(product["id"])) == ("RESERVED", [7, -3])
    cancel(order)
    assert (state_of(order), moved(product["id"])) == ("RELEASED", [7, -3, 3])
