"""What retention deletes, and what it must keep."""

import threading
import time
from datetime import timedelta

import pytest

from libs.mongo_store.connection import UNAVAILABLE_ERRORS
from libs.values.times import now
from product_service.store.documents import reservations
from product_service.store.reservations import RETENTION, purge_closed
from product_service.tests.integration.conftest import order_event
from product_service.worker.retention import make_retention


def age(order, by):
    """Make a reservation older by that much."""
    moment = now() - by
    reservations().update_one({"_id": order.subject}, {"$set": {"created_at": moment}})
    reservations().update_one({"_id": order.subject, "closed_at": {"$exists": True}}, {"$set": {"closed_at": moment}})


@pytest.fixture
def orders(make, place, cancel):
    """An order in each status: reserved, rejected, released, cancelled before it arrived."""
    product = make(stock=9)
    reserved, released = place((product["id"], 1, "19.90")), place((product["id"], 1, "19.90"))
    rejected, mark = place((product["id"], 99, "19.90")), order_event("order-placed", [(product["id"], 1, "19.90")])
    cancel(released)
    cancel(mark)
    return [reserved, rejected, released, mark]


def left(orders):
    return [reservations().count_documents({"_id": order.subject}) for order in orders]


def test_closed_reservations_are_purged_when_no_event_of_their_order_can_come_any_more(orders):
    for order in orders:
        age(order, RETENTION - timedelta(hours=1))
    purge_closed()
    assert left(orders) == [1, 1, 1, 1]
    for order in orders:
        age(order, RETENTION + timedelta(hours=1))
    assert purge_closed() == 3
    assert left(orders) == [1, 0, 0, 0]


def test_the_task_purges_at_its_start_and_ends_on_request(orders):
    age(orders[1], 2 * RETENTION)
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
    assert left(orders) == [1, 0, 1, 1]


def test_the_task_survives_an_unavailable_database(app, monkeypatch):
    task = make_retention("USD")

    def fail():
        raise UNAVAILABLE_ERRORS[0]("unavailable")

    monkeypatch.setattr("product_service.store.reservations.purge_closed", fail)
    task._run_once()
    assert {"reservations": 0}.items() <= task.status().items()
