"""Cancellations are questions: they are resent unchanged until product_service has replied."""

import orjson
import pytest

from libs.messaging.envelope import Event
from libs.values.times import now
from order_service.events.topics import STOCK_GROUP
from order_service.store.models import Order, Outbox, ReleaseRequest
from order_service.store.outbox import outbox
from order_service.store.requests.resending import COLUMNS
from order_service.tests.integration.stock import apply_stock_reply
from order_service.tests.integration.test_reservation_requests import LIMIT, make_overdue, race, relay, time_out
from order_service.use_cases.stock.resend_release_requests import BATCH_SIZE, resend_release_requests
from order_service.worker.handlers import HANDLERS
from order_service.worker.reservation_requests import make_reservation_requests

pytestmark = pytest.mark.django_db

EVENT_ID = "01K00000000000000000000000"


def cancelled(customer, place, *, confirmed=False):
    """The id of an order that its customer has cancelled."""
    order = place(customer)
    if confirmed:
        apply_stock_reply(order_id=order, rejection=None)
    assert customer.send(f"/orders/{order}/cancel", {}).status_code == 200
    return order


def make_due(*orders):
    assert ReleaseRequest.objects.filter(aggregate_id__in=orders).update(resend_at=now()) == len(orders)


def reply(order, key=None):
    data = {"orderId": order, "items": []}
    HANDLERS[STOCK_GROUP]["stock-released"](Event(EVENT_ID, "stock-released", key or order, 2, "", data))


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_cancellation_is_resent_unchanged(customer, place, confirmed):
    order = cancelled(customer, place, confirmed=confirmed)
    first = Outbox.objects.values(*COLUMNS).get(topic="order-cancelled")
    relay()
    assert resend_release_requests() == 0
    make_due(order)
    assert resend_release_requests() == 1
    assert Outbox.objects.values(*COLUMNS).get() == first
    assert (first["aggregate_id"], first["sequence"]) == (order, Order.objects.get(pk=order).sequence)


def test_an_order_that_took_too_long_is_one_too(customer, place):
    order = place(customer)
    relay()
    make_overdue(order, LIMIT + 100)
    assert time_out() == 1
    relay()
    make_due(order)
    assert resend_release_requests() == 1


@pytest.mark.parametrize("end", ["reject", "ship"])
def test_no_other_end_of_an_order_is_asked_about(customer, staff, place, place_confirmed, end):
    if end == "ship":
        staff.send(f"/orders/{place_confirmed(customer)}/status", {"status": "shipped"}, "PUT")
    else:
        from order_service.domain.rejection import Rejection

        apply_stock_reply(order_id=place(customer), rejection=Rejection("out_of_stock"))
    assert not ReleaseRequest.objects.exists()


def test_a_cancellation_that_the_broker_does_not_have_is_not_resent(customer, place):
    order = cancelled(customer, place)
    assert ReleaseRequest.objects.get(aggregate_id=order).resend_at is None
    relay()
    make_due(order)
    resend_release_requests()
    assert (ReleaseRequest.objects.get(aggregate_id=order).resend_at, resend_release_requests()) == (None, 0)


def test_the_wait_doubles_until_it_is_an_hour_and_never_ends(customer, place):
    order, waits = cancelled(customer, place), []
    outbox.delete([row for row in outbox.pending(200) if row.topic == "order-placed"])
    for _ in range(9):
        assert relay() == [("order-cancelled", order, 2)]
        waits.append((ReleaseRequest.objects.get(aggregate_id=order).resend_at - now()).total_seconds())
        make_due(order)
        resend_release_requests()
    assert [round(wait / 10) * 10 for wait in waits] == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_few_are_resent_at_a_time(customer, place):
    orders = [cancelled(customer, place) for _ in range(BATCH_SIZE + 1)]
    relay()
    make_due(*orders)
    assert [resend_release_requests() for _ in range(3)] == [BATCH_SIZE, 1, 0]


@pytest.mark.django_db(transaction=True)
def test_several_workers_resend_a_cancellation_once(customer, place):
    orders = [cancelled(customer, place) for _ in range(5)]
    relay()
    make_due(*orders)
    assert sum(race(resend_release_requests)) == 5
    assert sorted(row.aggregate_id for row in Outbox.objects.all()) == orders


def test_the_reply_ends_it(customer, place):
    order, other = cancelled(customer, place), cancelled(customer, place)
    relay()
    make_due(order, other)
    for _ in range(2):
        reply(order)
    assert list(ReleaseRequest.objects.values_list("aggregate_id", flat=True)) == [other]
    assert resend_release_requests() == 1


def test_a_reply_about_an_unknown_order_changes_nothing(customer, place):
    cancelled(customer, place)
    reply(EVENT_ID)
    assert ReleaseRequest.objects.count() == 1


def test_the_resent_cancellation_of_a_deleted_account_has_no_personal_data(customer, place):
    from order_service.use_cases.customers.erase_customer import erase_customer

    order = cancelled(customer, place)
    relay()
    erase_customer(user_id=customer.user_id)
    make_due(order)
    resend_release_requests()
    payload = orjson.loads(Outbox.objects.get().payload)
    assert (payload["userEmail"], payload["username"]) == (None, f"gone-{customer.user_id}")


def test_the_status_shows_how_many_are_open(customer, place):
    task = make_reservation_requests(LIMIT, lambda: None)
    order = cancelled(customer, place)
    assert task.status()["openCancellations"] == 1
    relay()
    make_due(order)
    task._run_once()
    assert task.status()["askedAgain"] == 1
    reply(order)
    assert task.status()["openCancellations"] == 0
