"""A cancelled order gives its pieces back once, in whatever order its events come, and its cancellation gets a reply."""

import orjson
import pytest
from bson import ObjectId

from product_service.events.topics import GROUP
from product_service.store.documents import db, products, reservations
from product_service.tests.integration.conftest import HANDLERS, order_event


def state_of(order):
    return reservations().find_one({"_id": order.subject})["state"]


def releases(pending, order):
    """(event id, sequence, data) of the replies to the cancellation that wait in the outbox."""
    rows = [row for row in pending(order.subject) if row["topic"] == "stock-released"]
    return [(row["_id"], row["sequence"], orjson.loads(row["payload"])) for row in rows]


def publish(order):
    """The relay's work."""
    db()["outbox"].delete_many({"aggregate_id": order.subject})


def test_a_cancelled_order_gives_its_pieces_back(make, place, cancel, moved):
    product, other = make(stock=7), make(stock=2)
    order = place((product["id"], 3, "19.90"), (other["id"], 1, "19.90"), (product["id"], 1, "19.90"))
    cancel(order)
    assert moved(product["id"]) == [7, -4, 4]
    assert moved(other["id"]) == [2, -1, 1]
    assert state_of(order) == "RELEASED"


def test_the_reply_to_a_cancellation_names_the_pieces(make, place, cancel, pending):
    product, other = make(stock=7), make(stock=2)
    order = place((other["id"], 1, "19.90"), (product["id"], 3, "19.90"), (product["id"], 1, "19.90"))
    cancel(order)
    ((_, sequence, data),) = releases(pending, order)
    pieces = sorted([(other["id"], 1), (product["id"], 4)])
    items = [{"productId": product_id, "quantity": count} for product_id, count in pieces]
    assert (sequence, data) == (2, {"orderId": order.subject, "items": items})


@pytest.mark.parametrize("kind", ["reserved", "rejected", "mark"])
def test_a_cancellation_that_comes_again_gets_the_very_same_reply(make, place, cancel, pending, kind):
    product = make(stock=5 if kind == "reserved" else 0)
    line = (product["id"], 3, "19.90")
    order = order_event("order-placed", [line]) if kind == "mark" else place(line)
    cancel(order)
    first, kept = releases(pending, order), reservations().find_one({"_id": order.subject})
    cancel(order)
    assert releases(pending, order) == first  # the relay has not published it yet
    publish(order)
    cancel(order)
    assert releases(pending, order) == first
    publish(order)
    HANDLERS[GROUP][order.type](order)
    assert releases(pending, order) == first
    assert reservations().find_one({"_id": order.subject}) == kept


def test_what_an_earlier_version_released_gets_its_reply_once(make, place, cancel, moved, pending):
    product = make(stock=7)
    order = place((product["id"], 3, "19.90"))
    cancel(order)
    publish(order)
    reservations().update_one({"_id": order.subject}, {"$unset": {"answer": ""}})
    cancel(order)
    first = releases(pending, order)
    assert [(sequence, data["items"][0]["quantity"]) for _, sequence, data in first] == [(2, 3)]
    publish(order)
    cancel(order)
    assert releases(pending, order) == first
    assert moved(product["id"]) == [7, -3, 3]


def test_cancelling_twice_gives_back_once(make, place, cancel, moved):
    product = make(stock=7)
    order = place((product["id"], 3, "19.90"))
    cancel(order)
    cancel(order)
    assert moved(product["id"]) == [7, -3, 3]


def test_an_order_that_was_cancelled_first_gets_nothing(make, cancel, moved, pending):
    product = make(stock=7)
    order = order_event("order-placed", [(product["id"], 3, "19.90")])
    cancel(order)
    HANDLERS[GROUP][order.type](order)
    assert moved(product["id"]) == [7]
    ((_, sequence, data),) = releases(pending, order)
    assert (sequence, data["items"], len(pending(order.subject))) == (1, [], 1)
    assert state_of(order) == "RELEASED"


def test_an_order_that_comes_again_after_its_cancellation_gets_nothing(make, place, cancel, moved, pending):
    product = make(stock=7)
    order = place((product["id"], 3, "19.90"))
    publish(order)
    cancel(order)
    HANDLERS[GROUP][order.type](order)
    assert moved(product["id"]) == [7, -3, 3]
    assert [row["topic"] for row in pending(order.subject)] == ["stock-released"]


def test_a_rejected_order_has_nothing_to_give_back(make, place, cancel, moved, pending):
    product = make(stock=2)
    order = place((product["id"], 3, "19.90"))
    cancel(order)
    assert moved(product["id"]) == [2]
    assert [(sequence, data["items"]) for _, sequence, data in releases(pending, order)] == [(2, [])]
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
