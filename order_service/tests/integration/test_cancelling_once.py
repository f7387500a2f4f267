"""POST /orders/{id}/cancel with an Idempotency-Key: the first 200 comes again, and other answers are computed anew."""

import pytest

from order_service.store.models import IdempotencyKey, OrderChange, Outbox
from order_service.store.order_tables import orders
from order_service.tests.integration.test_erasing import ADDRESS, take
from order_service.tests.integration.test_placing import problem

pytestmark = pytest.mark.django_db


def cancel(caller, order, key="k", body=b"{}"):
    path = f"/orders/{order}/cancel"
    return caller.generic("POST", path, body, "application/json", headers={"idempotency-key": key})


def test_a_repeated_cancellation_gets_the_same_response(customer, place):
    order = place(customer)
    first, again = cancel(customer, order), cancel(customer, order)
    assert first.status_code == again.status_code == 200
    assert (first.json()["status"], first.content) == ("cancelled", again.content)
    assert Outbox.objects.filter(aggregate_id=order, topic="order-cancelled").count() == 1
    assert OrderChange.objects.filter(order_id=order).count() == 2
    problem(customer.send(f"/orders/{order}/cancel", {}), 409, "illegal-transition")
    problem(cancel(customer, order, "another"), 409, "illegal-transition")


def test_the_same_key_for_another_order_is_refused(customer, place):
    order, other = place(customer), place(customer)
    cancel(customer, order)
    problem(cancel(customer, other), 422, "idempotency-key-reused")
    assert customer.get(f"/orders/{other}").json()["status"] == "pending"


def test_a_key_of_another_route_or_another_user_is_another_key(customer, make_caller, sell, staff):
    body, key = {"productId": sell(), "quantity": 1}, {"headers": {"idempotency-key": "k"}}
    order = customer.post("/orders", body, "application/json", **key).json()["orderId"]
    other = make_caller().post("/orders", body, "application/json", **key).json()["orderId"]
    assert cancel(customer, order).status_code == 200
    assert cancel(staff, other).status_code == 200
    assert customer.post("/orders", body, "application/json", **key).json()["orderId"] == order


def test_other_answers_are_not_stored(customer, staff, make_caller, place):
    order = place(customer)
    problem(cancel(make_caller(), order), 404, "unknown-order")
    problem(cancel(make_caller("viewer"), order), 403, "not-allowed")
    problem(cancel(customer, order, body=b'{"reason": "x"}'), 400, "invalid")
    problem(cancel(customer, order, key="x" * 129), 400, "invalid")
    assert not IdempotencyKey.objects.exists()
    assert cancel(customer, order).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_without_the_change_there_is_no_key(customer, place, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("the event can't be stored")

    order = place(customer)
    customer.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr(orders.outbox, "add", fail)
        problem(cancel(customer, order), 500)
    assert not IdempotencyKey.objects.exists()
    assert cancel(customer, order).json()["status"] == "cancelled"


@pytest.mark.parametrize("by", ["customer", "staff"])
def test_a_stored_response_goes_with_the_customers_account(customer, staff, sell, by):
    body = {"productId": sell(), "quantity": 1, "shippingAddress": ADDRESS}
    order = customer.send("/orders", body).json()["orderId"]
    assert cancel({"customer": customer, "staff": staff}[by], order).json()["shippingAddress"]
    take("user-deleted", customer.user_id, id=customer.user_id, deletedAt="2026-01-31T12:00:00.000Z")
    assert not IdempotencyKey.objects.exists()


def test_a_key_costs_few_statements_and_a_stored_response_one(customer, place, django_assert_num_queries):
    order, plain = place(customer), place(customer)
    with django_assert_num_queries(
        8
    ):  # read, update, two requests, change, event; the test's own SAVEPOINT and RELEASE
        customer.send(f"/orders/{plain}/cancel", {})
    with django_assert_num_queries(
        8 + 4 + 2
    ):  # find, lock, claim, save; the transaction of the change is a part of another
        cancel(customer, order)
    with django_assert_num_queries(1):
        cancel(customer, order)
