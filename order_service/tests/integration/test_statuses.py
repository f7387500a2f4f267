"""Transitions: the table decides, the first one wins, and each writes one change and one event."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import orjson
import pytest
from django.db import connection

from libs.access.caller import Caller
from order_service.domain.errors import IllegalTransition
from order_service.domain.order_status import BEFORE, Status
from order_service.domain.rejection import Rejection
from order_service.store.models import Order, OrderChange, Outbox
from order_service.tests.integration.stock import apply_stock_reply
from order_service.tests.integration.test_placing import problem
from order_service.use_cases.orders import set_order_status
from order_service.use_cases.orders.cancel_order import cancel_order

pytestmark = pytest.mark.django_db


DECIDED = {
    "confirmed": partial(apply_stock_reply, rejection=None),
    "rejected": partial(apply_stock_reply, rejection=Rejection("out_of_stock")),
}


def events(order):
    return list(Outbox.objects.filter(aggregate_id=order).order_by("id").values_list("topic", "sequence"))


def move(staff, order, *statuses):
    for status in statuses:
        if status in DECIDED:
            assert DECIDED[status](order_id=order)
            continue
        answer = staff.send(f"/orders/{order}/status", {"status": status}, "PUT")
        assert (answer.status_code, answer.json()["status"]) == (200, status), answer.content


def test_an_order_goes_to_the_customer_step_by_step(customer, staff, place):
    order = place(customer)
    move(staff, order, "confirmed", "shipped", "delivered")
    topics = ["order-placed", "order-confirmed", "order-shipped", "order-delivered"]
    assert events(order) == [(topic, number) for number, topic in enumerate(topics, start=1)]
    changes = OrderChange.objects.filter(order_id=order).values_list("from_status", "to_status", "actor")
    actors = [f"customer:{customer.user_id}", "saga", *[f"staff:{staff.user_id}"] * 2]
    steps = [None, "pending", "confirmed", "shipped", "delivered"]
    assert list(changes) == list(zip(steps, steps[1:], actors, strict=False))
    assert customer.get(f"/orders/{order}").json()["status"] == "delivered"


def test_an_event_has_the_status_before(customer, staff, place):
    order = place(customer)
    move(staff, order, "confirmed")
    row = Outbox.objects.get(aggregate_id=order, sequence=2)
    event, shown = orjson.loads(row.payload), customer.get(f"/orders/{order}").json()
    assert (event["status"], event["previousStatus"], event["reason"]) == ("confirmed", "pending", None)
    assert (event["userId"], event["timestamp"]) == (customer.user_id, shown["updatedAt"])
    assert orjson.loads(row.headers)["ce_sequence"] == "2"


PATHS = {
    "pending": [],
    "confirmed": ["confirmed"],
    "shipped": ["confirmed", "shipped"],
    "delivered": ["confirmed", "shipped", "delivered"],
    "cancelled": ["cancelled"],
    "rejected": ["rejected"],
}
ILLEGAL = [
    (b, a.value) for b in PATHS for a in Status if a.value != b and (b not in BEFORE.get(a, ()) or a.value in DECIDED)
]


@pytest.mark.parametrize(("before", "after"), ILLEGAL)
def test_what_the_table_does_not_allow_staff_changes_nothing(customer, staff, place, before, after):
    order = place(customer)
    move(staff, order, *PATHS[before])
    stored = events(order)
    problem(staff.send(f"/orders/{order}/status", {"status": after}, "PUT"), 409, "illegal-transition")
    assert (Order.objects.get(pk=order).status, events(order)) == (before, stored)


@pytest.mark.parametrize("before", ["pending", "confirmed"])
def test_customers_cancel_their_order_before_it_is_shipped(customer, staff, place, before):
    order = place(customer)
    move(staff, order, *PATHS[before])
    answer = customer.send(f"/orders/{order}/cancel", {})
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.json()["reason"] == "cancelled_by_customer"
    problem(customer.send(f"/orders/{order}/cancel", {}), 409, "illegal-transition")
    assert [topic for topic, _ in events(order)].count("order-cancelled") == 1


def test_a_shipped_order_cannot_be_cancelled(customer, staff, place):
    order = place(customer)
    move(staff, order, "confirmed", "shipped")
    problem(customer.send(f"/orders/{order}/cancel", {}), 409, "illegal-transition")


def test_staff_cancel_any_order_and_viewers_none(customer, make_caller, place):
    order = place(customer)
    problem(make_caller("viewer").send(f"/orders/{order}/cancel", {}), 403, "not-allowed")
    answer = make_caller("staff").send(f"/orders/{order}/cancel", {})
    assert answer.json()["reason"] == "cancelled_by_staff"


def test_a_cancellation_needs_no_body_and_takes_no_fields(customer, place):
    order = place(customer)
    problem(customer.send(f"/orders/{order}/cancel", {"reason": "x"}), 400, "invalid")
    assert customer.generic("POST", f"/orders/{order}/cancel").status_code == 200


@pytest.mark.parametrize("roles", [(), ("viewer",)])
def test_only_staff_set_a_status(customer, make_caller, place, roles):
    order = place(customer)
    problem(make_caller(*roles).send(f"/orders/{order}/status", {"status": "confirmed"}, "PUT"), 403, "not-allowed")
    problem(customer.send(f"/orders/{order}/status", {"status": "confirmed"}, "PUT"), 403, "not-allowed")


def test_a_transition_takes_four_statements(customer, staff, place, django_assert_num_queries):
    order = place(customer)
    move(staff, order, "confirmed")
    with django_assert_num_queries(6):  # read, update, change, event; the test's own SAVEPOINT and RELEASE
        move(staff, order, "shipped")


def race(*works):
    """Run the works at once, each on a connection of its own; return what each gave or raised."""
    gate = threading.Barrier(len(works))

    def run(work):
        gate.wait()
        try:
            return work()
        except IllegalTransition as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.django_db(transaction=True)
def test_ten_cancellations_at_once_are_one_cancellation(customer, place):
    order, caller = place(customer), Caller(customer.user_id, "a@example.com", "a")
    outcomes = race(*[lambda: cancel_order(caller=caller, order_id=order).status] * 10)
    assert outcomes.count(Status.CANCELLED) == 1
    assert events(order) == [("order-placed", 1), ("order-cancelled", 2)]
    assert OrderChange.objects.filter(order_id=order).count() == 2


@pytest.mark.django_db(transaction=True)
def test_confirming_and_cancelling_at_once_leave_no_gap_in_the_order_of_events(customer, place):
    caller = Caller(customer.user_id, "a@example.com", "a")
    for _ in range(5):
        order = place(customer)
        race(
            lambda order=order: cancel_order(caller=caller, order_id=order),
            lambda order=order: apply_stock_reply(order_id=order, rejection=None),
        )
        stored = events(order)
        assert [sequence for _, sequence in stored] == list(range(1, len(stored) + 1))
        assert stored[-1][0] == "order-cancelled"
        assert Order.objects.get(pk=order).sequence == len(stored)


@pytest.mark.parametrize("status", ["shipped", "delivered"])
def test_a_repeated_status_is_answered_alike_and_changes_nothing(customer, staff, place, status):
    order = place(customer)
    move(staff, order, "confirmed", "shipped", *([status] if status != "shipped" else []))
    before, changes = events(order), OrderChange.objects.filter(order_id=order).count()
    shown = staff.get(f"/orders/{order}").json()
    for _ in range(2):
        answer = staff.send(f"/orders/{order}/status", {"status": status}, "PUT")
        assert (answer.status_code, answer.json()) == (200, shown)
    assert (events(order), OrderChange.objects.filter(order_id=order).count()) == (before, changes)


@pytest.mark.parametrize("status", ["pending", "rejected", "cancelled"])
def test_any_status_that_the_order_has_may_be_put(customer, staff, place, status):
    order = place(customer)
    if status != "pending":
        move(staff, order, status)
    assert staff.send(f"/orders/{order}/status", {"status": status}, "PUT").json()["status"] == status
    problem(staff.send(f"/orders/{order}/status", {"status": "confirmed"}, "PUT"), 409)


def test_a_status_that_another_request_sets_at_the_same_time_is_no_conflict(customer, staff, place, monkeypatch):
    order = place(customer)
    move(staff, order, "confirmed")
    caller = Caller(user_id="0" * 24, email="a@example.com", username="a", roles=("staff",))
    read = set_order_status.find_order

    def read_and_lose(who, order_id):
        found = read(who, order_id)
        monkeypatch.setattr(set_order_status, "find_order", read)
        set_order_status.set_order_status(caller=caller, order_id=order_id, status=Status.SHIPPED)
        return found

    monkeypatch.setattr(set_order_status, "find_order", read_and_lose)
    moved = set_order_status.set_order_status(caller=caller, order_id=order, status=Status.SHIPPED)
    assert (moved.order.status, moved.is_changed) == (Status.SHIPPED, False)
    assert [topic for topic, _ in events(order)].count("order-shipped") == 1
