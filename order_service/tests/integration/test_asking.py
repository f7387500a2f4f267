"""Orders that wait for the stock: asked again unchanged, cancelled in the end, and never by an outage of Kafka."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import orjson
import pytest
from django.db import connection

from order_service.store.models import Order, Outbox, PendingOrder, now
from order_service.store.outbox import DjangoOutbox
from order_service.use_cases.orders import confirm_order
from order_service.worker.reservation_requests import COLUMNS, MAX_ASKS, MOST_ASKED, Asking, ask_again, cancel_overdue

pytestmark = pytest.mark.django_db

LIMIT = 1800


def relay():
    """What the relay does when the broker has everything."""
    rows = DjangoOutbox().pending(200)
    DjangoOutbox().delete([row.event_id for row in rows])
    return [(row.topic, row.aggregate_id, row.sequence) for row in rows]


def question(order):
    return PendingOrder.objects.get(aggregate_id=order)


def make_due(order, **ages):
    """Let the times of its question be so many seconds ago."""
    times = {name: now() - timedelta(seconds=seconds) for name, seconds in ages.items()}
    assert PendingOrder.objects.filter(aggregate_id=order).update(**times)


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


def test_a_question_is_asked_again_exactly_as_it_was(customer, place):
    order = place(customer)
    first = Outbox.objects.values(*COLUMNS).get(aggregate_id=order)
    relay()
    assert ask_again() == 0
    make_due(order, ask_at=0)
    assert ask_again() == 1
    assert Outbox.objects.values(*COLUMNS).get(aggregate_id=order) == first
    assert Order.objects.get(pk=order).sequence == 1


def test_a_question_that_the_broker_does_not_have_is_not_asked_again(customer, place):
    order = place(customer)
    Order.objects.update(created_at=now() - timedelta(days=1))
    assert (question(order).ask_at, ask_again(), cancel_overdue(LIMIT)) == (None, 0, 0)
    relay()
    make_due(order, ask_at=0)
    ask_again()
    assert (question(order).ask_at, ask_again()) == (None, 0)


def test_each_time_it_waits_twice_as_long_and_five_times_in_all(customer, place):
    order = place(customer)
    waits = []
    for _ in range(MAX_ASKS + 1):
        assert relay() == [("order-placed", order, 1)]
        waits.append((question(order).ask_at - now()).total_seconds())
        make_due(order, ask_at=0)
        ask_again()
    assert [round(wait / 10) * 10 for wait in waits] == [30, 60, 120, 240, 480, 960]
    assert not Outbox.objects.exists()


def test_few_are_asked_at_a_time_and_the_oldest_first(customer, place):
    orders = [place(customer) for _ in range(MOST_ASKED + 1)]
    relay()
    for seconds, order in enumerate(orders):
        make_due(order, ask_at=seconds)
    assert (ask_again(), ask_again(), ask_again()) == (MOST_ASKED, 1, 0)
    assert [row.aggregate_id for row in Outbox.objects.order_by("id")] == orders[::-1]


@pytest.mark.django_db(transaction=True)
def test_several_workers_ask_once(customer, place):
    orders = [place(customer) for _ in range(5)]
    relay()
    PendingOrder.objects.update(ask_at=now())
    assert sum(race(ask_again)) == 5
    assert sorted(row.aggregate_id for row in Outbox.objects.all()) == orders


def test_an_order_is_cancelled_when_the_stock_did_not_answer_in_time(customer, place):
    order, younger = place(customer), place(customer)
    relay()
    make_due(order, published_at=LIMIT + 1)
    make_due(younger, published_at=LIMIT - 60)
    assert cancel_overdue(LIMIT) == 1
    shown = customer.get(f"/orders/{order}").json()
    assert (shown["status"], shown["reason"]) == ("cancelled", "timeout")
    assert customer.get(f"/orders/{younger}").json()["status"] == "pending"
    event = orjson.loads(Outbox.objects.get(aggregate_id=order, topic="order-cancelled").payload)
    assert (event["reason"], event["previousStatus"]) == ("timeout", "pending")
    assert Order.objects.get(pk=order).changes.last().actor == "saga"


def test_the_time_counts_from_the_first_publication(customer, place):
    order = place(customer)
    relay()
    make_due(order, published_at=100, ask_at=0)
    ask_again()
    relay()
    assert (now() - question(order).published_at).total_seconds() > 99


@pytest.mark.django_db(transaction=True)
def test_several_workers_and_an_answer_at_once_are_one_transition(customer, place):
    orders = [place(customer) for _ in range(5)]
    relay()
    PendingOrder.objects.update(published_at=now() - timedelta(seconds=LIMIT + 1))
    confirmed = [lambda: 0, *[lambda order=order: confirm_order(order_id=order) for order in orders]]
    works = iter([*confirmed, *[lambda: cancel_overdue(LIMIT)] * 3])
    decided = race(lambda: next(works)(), len(confirmed) + 3)
    assert sum(decided) == 5
    assert sorted(row.aggregate_id for row in Outbox.objects.filter(sequence=2)) == orders
    assert not Outbox.objects.filter(sequence__gt=2).exists()


@pytest.mark.parametrize("decide", ["confirm", "cancel"])
def test_a_decided_order_asks_nothing(customer, place, decide):
    order = place(customer)
    relay()
    if decide == "confirm":
        confirm_order(order_id=order)
    else:
        customer.send(f"/orders/{order}/cancel", {})
    assert not PendingOrder.objects.filter(aggregate_id=order).exists()
    assert (ask_again(), cancel_overdue(0)) == (0, 0)


def test_the_age_of_the_oldest_pending_order_is_told(customer, place):
    asking = Asking(LIMIT)
    assert asking.status() == {"oldestPendingSeconds": 0.0, "askedAgain": 0, "timedOut": 0}
    order = place(customer)
    Order.objects.filter(pk=order).update(created_at=now() - timedelta(seconds=400))
    assert 400 <= asking.status()["oldestPendingSeconds"] < 410
    confirm_order(order_id=order)
    assert asking.status()["oldestPendingSeconds"] == 0.0
