"""What is removed, and what must stay."""

import threading
import time
from datetime import timedelta

import pytest

from libs.mongo_store.connection import UNAVAILABLE_ERRORS
from libs.values.times import now
from product_service.domain.price_history import price_memory
from product_service.store.documents import reservations
from product_service.store.reservations import CLOSED_AGE, forget_closed
from product_service.tests.integration.conftest import order_event
from product_service.worker.retention import Housekeeping


def age(order, by):
    """Let a reservation be that much older."""
    moment = now() - by
    reservations().update_one({"_id": order.subject}, {"$set": {"created_at": moment}})
    reservations().update_one({"_id": order.subject, "closed_at": {"$exists": True}}, {"$set": {"closed_at": moment}})


@pytest.fixture
def orders(make, place, cancel):
    """One order in each way to end: reserved, rejected, released, cancelled first."""
    product = make(stock=9)
    reserved, released = place((product["id"], 1, "19.90")), place((product["id"], 1, "19.90"))
    rejected, mark = place((product["id"], 99, "19.90")), order_event("order-placed", [(product["id"], 1, "19.90")])
    cancel(released)
    cancel(mark)
    return [reserved, rejected, released, mark]


def left(orders):
    return [reservations().count_documents({"_id": order.subject}) for order in orders]


def test_closed_orders_are_forgotten_when_no_event_of_theirs_can_come_any_more(orders):
    for order in orders:
        age(order, CLOSED_AGE - timedelta(hours=1))
    forget_closed()
    assert left(orders) == [1, 1, 1, 1]
    for order in orders:
        age(order, CLOSED_AGE + timedelta(hours=1))
    assert forget_closed() == 3
    assert left(orders) == [1, 0, 0, 0]


def test_the_part_cleans_up_at_its_start_and_ends_when_told(orders):
    age(orders[1], 2 * CLOSED_AGE)
    part, stop = Housekeeping(price_memory(1800)), threading.Event()
    thread = threading.Thread(target=part.run, args=(stop,))
    thread.start()
    end = time.monotonic() + 10
    while not part.status()["reservations"]:
        assert time.monotonic() < end, "nothing was cleaned up"
        time.sleep(0.01)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert left(orders) == [1, 0, 1, 1]


def test_the_part_survives_a_database_that_is_away(app, monkeypatch):
    part = Housekeeping(price_memory(1800))

    def away():
        raise UNAVAILABLE_ERRORS[0]("away")

    monkeypatch.setattr("product_service.store.reservations.forget_closed", away)
    part._clean()
    assert part.status() == {"reservations": 0, "priceLogs": 0}
