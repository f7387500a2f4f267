"""What retention deletes, and what it must keep."""

import threading
import time
from datetime import timedelta

import pytest
from bson import ObjectId
from pymongo.errors import OperationFailure

from libs.messaging.envelope import Event
from libs.values.times import now
from product_service.domain.product_change import CHANGE_RETENTION
from product_service.events.topics import GROUP
from product_service.queries.stock_audit import find_violations, snapshot
from product_service.store.documents import movements, reservations
from product_service.store.old_stock import (
    CARRIED,
    CARRIED_AT,
    RESERVATION_RETENTION,
    purge_movements,
    purge_reservations,
)
from product_service.tests.integration.conftest import HANDLERS, order_event
from product_service.worker.retention import make_retention


def age(order, by):
    """Make a reservation and its movements older by that much."""
    moment = now() - by
    movements().update_many({"ref": order.subject}, {"$set": {"at": moment}})
    reservations().update_one({"_id": order.subject}, {"$set": {"created_at": moment}})
    reservations().update_one({"_id": order.subject, "closed_at": {"$exists": True}}, {"$set": {"closed_at": moment}})


@pytest.fixture
def orders(make, place, cancel):
    """An order in each status: reserved, rejected, released, cancelled before it arrived, delivered."""
    product = make(stock=9)
    reserved, released, delivered = (place((product["id"], count, "19.90")) for count in (1, 1, 2))
    rejected, mark = place((product["id"], 99, "19.90")), order_event("order-placed", [(product["id"], 1, "19.90")])
    cancel(released)
    cancel(mark)
    deliver(delivered)
    return [reserved, rejected, released, mark, delivered]


def deliver(order):
    HANDLERS[GROUP]["order-delivered"](
        Event(order.id, "order-delivered", order.subject, 4, "", {"orderId": order.subject})
    )


def violations(*products):
    with snapshot() as moment:
        return [text for text in find_violations(moment) if any(word in text for word in products)]


def left(orders):
    return [reservations().count_documents({"_id": order.subject}) for order in orders]


def test_closed_reservations_are_purged_when_no_event_of_their_order_can_come_any_more(orders):
    for order in orders:
        age(order, RESERVATION_RETENTION - timedelta(hours=1))
    purge_reservations()
    assert left(orders) == [1, 1, 1, 1, 1]
    for order in orders:
        age(order, RESERVATION_RETENTION + timedelta(hours=1))
    assert purge_reservations() == 4
    assert left(orders) == [1, 0, 0, 0, 0]


def test_the_movements_of_purged_reservations_go_with_them_and_the_stock_stays_their_sum(make, place, cancel, moved):
    product, other = make(stock=20), make(stock=20)
    first, second = place((product["id"], 3, "19.90"), (other["id"], 1, "19.90")), place((product["id"], 2, "19.90"))
    kept, released = place((product["id"], 1, "19.90")), place((product["id"], 5, "19.90"))
    deliver(first)
    cancel(released)
    for order in (first, released):
        age(order, RESERVATION_RETENTION + timedelta(hours=1))
    purge_reservations()
    assert sorted(moved(product["id"])) == [-3, -2, -1, 20]
    assert sorted(moved(other["id"])) == [-1, 20]
    deliver(second)
    age(second, RESERVATION_RETENTION + timedelta(hours=1))
    purge_reservations()
    assert sorted(moved(product["id"])) == [-5, -1, 20]
    carried = movements().find_one({"product": ObjectId(product["id"]), "reason": CARRIED})
    assert (carried["delta"], carried["at"]) == (-5, CARRIED_AT)
    assert violations(product["id"], other["id"], *(order.subject for order in (first, second, kept, released))) == []


def test_old_movements_of_staff_are_carried_forward(client, staff, make, place, moved):
    product = make(stock=20)
    for delta in (5, -3):
        body = {"delta": delta, "reason": "count"}
        client.post(f"/products/{product['id']}/stock", json=body, headers=staff)
    place((product["id"], 2, "19.90"))
    rows = list(movements().find({"product": ObjectId(product["id"])}))
    for row in rows[:2]:  # the first stock and one change are older than a year
        old = now() - CHANGE_RETENTION - timedelta(days=1)
        movements().update_one({"_id": row["_id"]}, {"$set": {"at": old}})
    assert purge_movements() == 2
    assert sorted(moved(product["id"])) == [-3, -2, 25]
    assert purge_movements() == 0
    assert violations(product["id"]) == []


def test_a_batch_is_bounded(orders, monkeypatch):
    monkeypatch.setattr("product_service.store.old_stock.BATCH_SIZE", 3)
    purge_reservations()
    for order in orders:
        age(order, RESERVATION_RETENTION + timedelta(hours=1))
    assert [purge_reservations() for _ in range(3)] == [3, 1, 0]


def test_the_task_purges_at_its_start_and_ends_on_request(orders):
    age(orders[1], 2 * RESERVATION_RETENTION)
    task, stop = make_retention("USD"), threading.Event()
    thread = threading.Thread(target=task.run, args=(stop,))
    thread.start()
    end = time.monotonic() + 10
    while not task.status()["reservations"]:
        assert time.monotonic() < end, "nothing was purged"
        time.sleep(0.01)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert left(orders) == [1, 0, 1, 1, 1]


def test_the_task_survives_an_unavailable_database(app, monkeypatch):
    task = make_retention("USD")

    def fail():
        raise OperationFailure("Authentication failed.", 18)

    monkeypatch.setattr("product_service.store.old_stock.purge_reservations", fail)
    task._run_once()
    assert {"reservations": 0}.items() <= task.status().items()
