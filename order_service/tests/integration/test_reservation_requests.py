"""Reservation requests: resent unchanged, cancelled at the limit, and never by an outage of Kafka."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import orjson
import pytest
from django.db import connection

from libs.values.times import now
from order_service.store.models import Order, Outbox, ReservationRequest
from order_service.store.outbox import outbox
from order_service.store.requests.resending import COLUMNS
from order_service.store.requests.reservation_requests import MAX_RESENDS
from order_service.tests.integration.stock import apply_stock_reply
from order_service.use_cases.orders.time_out_order import time_out_overdue_orders
from order_service.use_cases.stock.resend_reservation_requests import BATCH_SIZE, resend_reservation_requests
from order_service.worker.reservation_requests import make_reservation_requests, stock_progress

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _short_wait_for_brokers(monkeypatch):
    monkeypatch.setattr("libs.messaging.kafka.group_progress.ADMIN_SECONDS", 0.2)


LIMIT = 1800


def relay():
    """The relay's work when the broker acknowledges every row."""
    rows = outbox.pending(200)
    outbox.delete(rows)
    return [(row.topic, row.aggregate_id, row.sequence) for row in rows]


def request_of(order):
    return ReservationRequest.objects.get(aggregate_id=order)


def make_due(order, **ages):
    """Set times of the request to so many seconds ago."""
    times = {name: now() - timedelta(seconds=seconds) for name, seconds in ages.items()}
    assert ReservationRequest.objects.filter(aggregate_id=order).update(**times)


def time_out(handled=0, limit=LIMIT):
    """Cancel overdue orders when all replies until `handled` seconds ago are handled."""
    return time_out_overdue_orders(pending_limit=limit, handled_until=lambda: now() - timedelta(seconds=handled))


def make_overdue(order, seconds=LIMIT + 100, last=61):
    """An order whose request was published `seconds` ago, and for the last time `last` seconds ago."""
    make_due(order, published_at=seconds, last_published_at=last, resend_at=0)


def race(work, count=4):
    gate = threading.Barrier(count)

    def run(_):
        gate.wait()
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_a_request_is_resent_unchanged(customer, place):
    order = place(customer)
    first = Outbox.objects.values(*COLUMNS).get(aggregate_id=order)
    relay()
    assert resend_reservation_requests() == 0
    make_due(order, resend_at=0)
    assert resend_reservation_requests() == 1
    assert Outbox.objects.values(*COLUMNS).get(aggregate_id=order) == first
    assert Order.objects.get(pk=order).sequence == 1


def test_a_request_that_the_broker_does_not_have_is_not_resent(customer, place):
    order = place(customer)
    Order.objects.update(created_at=now() - timedelta(days=1))
    assert (request_of(order).resend_at, resend_reservation_requests(), time_out()) == (None, 0, 0)
    relay()
    make_due(order, resend_at=0)
    resend_reservation_requests()
    assert (request_of(order).resend_at, resend_reservation_requests()) == (None, 0)


def test_the_wait_doubles_with_each_of_five_resends(customer, place):
    order = place(customer)
    waits = []
    for _ in range(MAX_RESENDS + 1):
        assert relay() == [("order-placed", order, 1)]
        waits.append((request_of(order).resend_at - now()).total_seconds())
        make_due(order, resend_at=0)
        resend_reservation_requests()
    assert [round(wait / 10) * 10 for wait in waits] == [30, 60, 120, 240, 480, 960]
    assert not Outbox.objects.exists()


def test_few_are_resent_at_a_time_and_the_oldest_first(customer, place):
    orders = [place(customer) for _ in range(BATCH_SIZE + 1)]
    relay()
    for seconds, order in enumerate(orders):
        make_due(order, resend_at=seconds)
    assert (resend_reservation_requests(), resend_reservation_requests(), resend_reservation_requests()) == (
        BATCH_SIZE,
        1,
        0,
    )
    assert [row.aggregate_id for row in Outbox.objects.order_by("id")] == orders[::-1]


@pytest.mark.django_db(transaction=True)
def test_several_workers_resend_a_request_once(customer, place):
    orders = [place(customer) for _ in range(5)]
    relay()
    ReservationRequest.objects.update(resend_at=now())
    assert sum(race(resend_reservation_requests)) == 5
    assert sorted(row.aggregate_id for row in Outbox.objects.all()) == orders


def test_an_order_is_cancelled_when_stock_did_not_reply_in_time(customer, place):
    order, younger = place(customer), place(customer)
    relay()
    make_overdue(order)
    make_due(younger, published_at=LIMIT - 60)
    assert time_out() == 1
    shown = customer.get(f"/orders/{order}").json()
    assert (shown["status"], shown["reason"]) == ("cancelled", "timeout")
    assert customer.get(f"/orders/{younger}").json()["status"] == "pending"
    event = orjson.loads(Outbox.objects.get(aggregate_id=order, topic="order-cancelled").payload)
    assert (event["reason"], event["previousStatus"]) == ("timeout", "pending")
    assert Order.objects.get(pk=order).changes.last().actor == "saga"


def test_the_request_of_an_overdue_order_is_resent_before_the_order_is_cancelled(customer, place):
    order = place(customer)
    relay()
    make_overdue(order, last=LIMIT + 50)  # published before the limit only
    ReservationRequest.objects.update(resends=MAX_RESENDS)
    assert time_out() == 0
    assert [row.aggregate_id for row in Outbox.objects.all()] == [order]
    assert time_out() == 0  # the request is in the outbox
    assert Outbox.objects.count() == 1
    relay()
    assert time_out() == 0  # published a moment ago
    make_due(order, last_published_at=61)
    assert time_out() == 1


@pytest.mark.parametrize("handled", [None, 2, 61])
def test_no_order_is_cancelled_while_replies_may_be_unread(customer, place, handled):
    order = place(customer)
    relay()
    make_overdue(order, last=61)
    until = None if handled is None else now() - timedelta(seconds=handled)
    assert time_out_overdue_orders(pending_limit=LIMIT, handled_until=lambda: until) == 0
    assert customer.get(f"/orders/{order}").json()["status"] == "pending"


def test_an_outage_of_kafka_that_is_longer_than_the_limit_cancels_nothing(customer, place):
    order = place(customer)
    relay()
    make_overdue(order, last=LIMIT + 100)  # acknowledged once, then no broker for half an hour
    until = stock_progress("127.0.0.1:1")
    assert time_out_overdue_orders(pending_limit=LIMIT, handled_until=until) == 0
    assert request_of(order).resend_at is None  # resent, and in the outbox since
    for _ in range(3):
        assert time_out_overdue_orders(pending_limit=LIMIT, handled_until=until) == 0


def test_the_time_counts_from_the_first_publication(customer, place):
    order = place(customer)
    relay()
    make_due(order, published_at=100, resend_at=0)
    resend_reservation_requests()
    relay()
    assert (now() - request_of(order).published_at).total_seconds() > 99


@pytest.mark.django_db(transaction=True)
def test_several_workers_and_a_reply_at_the_same_time_are_one_transition(customer, place):
    orders = [place(customer) for _ in range(5)]
    relay()
    for order in orders:
        make_overdue(order)
    confirmed = [
        lambda: 0,
        *[lambda order=order: apply_stock_reply(order_id=order, rejection=None) for order in orders],
    ]
    works = iter([*confirmed, *[time_out] * 3])
    decided = race(lambda: next(works)(), len(confirmed) + 3)
    assert sum(decided) == 5
    assert sorted(row.aggregate_id for row in Outbox.objects.filter(sequence=2)) == orders
    assert not Outbox.objects.filter(sequence__gt=2).exists()


@pytest.mark.parametrize("decide", ["confirm", "cancel"])
def test_a_decided_order_has_no_request(customer, place, decide):
    order = place(customer)
    relay()
    if decide == "confirm":
        apply_stock_reply(order_id=order, rejection=None)
    else:
        customer.send(f"/orders/{order}/cancel", {})
    assert not ReservationRequest.objects.filter(aggregate_id=order).exists()
    assert (resend_reservation_requests(), time_out(limit=0)) == (0, 0)


def test_the_status_shows_the_age_of_the_oldest_pending_order(customer, place):
    task = make_reservation_requests(LIMIT, lambda: None)
    assert task.status() == {"oldestPendingSeconds": 0.0, "openCancellations": 0, "askedAgain": 0, "timedOut": 0}
    order = place(customer)
    Order.objects.filter(pk=order).update(created_at=now() - timedelta(seconds=400))
    assert 400 <= task.status()["oldestPendingSeconds"] < 410
    assert "problem" not in task.status()
    assert "pending for 40" in make_reservation_requests(300, lambda: None).status()["problem"]
    apply_stock_reply(order_id=order, rejection=None)
    assert task.status()["oldestPendingSeconds"] == 0.0
