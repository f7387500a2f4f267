"""How many pieces an account without a verified address may have in open orders."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from libs.messaging.envelope import Event
from order_service.events.topics import USERS_GROUP
from order_service.store.models import Order, OrderLine
from order_service.tests.integration.stock import apply_stock_reply
from order_service.tests.integration.test_placing import problem
from order_service.worker.handlers import HANDLERS

pytestmark = pytest.mark.django_db

LIMIT, AT_ONCE = 100, 50
ACCOUNT = {"username": "ann", "email": "ann@example.com", "roles": [], "active": True}


@pytest.fixture(autouse=True)
def _limit(settings):
    settings.UNVERIFIED_OPEN_PIECES = LIMIT


@pytest.fixture
def verified(make_caller):
    return make_caller(email_verified=True)


@pytest.fixture
def order(sell):
    """`order(customer, 60)`: the response to an order of so many pieces, in lines of 10 products."""
    products = [sell() for _ in range(10)]

    def post(caller, pieces, **more):
        rest = [{"productId": product, "quantity": 1} for product in products[1:]] if pieces >= 10 else []
        items = [{"productId": products[0], "quantity": pieces - len(rest)}, *rest]
        return caller.send("/orders", {"items": items} | more)

    return post


def test_pieces_over_the_limit_are_refused_and_change_nothing(customer, order):
    assert order(customer, 60).status_code == 201
    body = problem(order(customer, 41), 409, "too-many-open-pieces")
    assert (body["limit"], body["open"]) == (LIMIT, 60)
    assert Order.objects.filter(user_id=customer.user_id).count() == 1
    assert order(customer, 40).status_code == 201
    assert problem(order(customer, 1), 409, "too-many-open-pieces")["open"] == 100


def test_one_order_alone_may_be_too_large(customer, order):
    assert problem(order(customer, 101), 409, "too-many-open-pieces")["open"] == 0
    assert order(customer, 100).status_code == 201


@pytest.mark.parametrize("end", ["cancel", "reject", "ship"])
def test_an_order_that_is_closed_or_shipped_does_not_count(customer, staff, order, end):
    placed = order(customer, 100).json()["orderId"]
    problem(order(customer, 1), 409, "too-many-open-pieces")
    if end == "cancel":
        customer.send(f"/orders/{placed}/cancel", {})
    else:
        apply_stock_reply(order_id=placed, rejection=None)
        problem(order(customer, 1), 409, "too-many-open-pieces")
        staff.send(f"/orders/{placed}/status", {"status": "shipped" if end == "ship" else "cancelled"}, "PUT")
    assert order(customer, 100).status_code == 201


def test_accounts_have_limits_of_their_own_and_verified_ones_none(customer, make_caller, verified, order):
    for caller in (customer, make_caller(), verified, verified):
        assert order(caller, 100).status_code == 201


def test_an_address_that_was_verified_since_the_token_was_issued_counts(customer, order):
    order(customer, 100)
    data = ACCOUNT | {"id": customer.user_id, "emailVerified": True, "createdAt": "2026-01-31T12:00:00.000Z"}
    event = Event("01K00000000000000000000000", "user-updated", customer.user_id, 2, "2126-01-31T12:00:00.000Z", data)
    HANDLERS[USERS_GROUP]["user-updated"](event)
    assert order(customer, 100).status_code == 201


def test_off_lifts_the_limit(customer, order, settings):
    settings.UNVERIFIED_OPEN_PIECES = None
    assert order(customer, 500).status_code == 201
    assert order(customer, 500).status_code == 201


def test_the_refusal_of_a_price_comes_first(customer, sell):
    body = {"productId": sell("19.90"), "quantity": 101, "productPrice": "1.00"}
    problem(customer.send("/orders", body), 409, "price-changed")


def test_a_stored_response_comes_whatever_is_open(customer, sell):
    body, key = {"productId": sell(), "quantity": 100}, {"headers": {"idempotency-key": "k"}}
    first = customer.post("/orders", body, "application/json", **key)
    assert customer.post("/orders", body, "application/json", **key).content == first.content


def test_the_limit_takes_one_statement(customer, order, django_assert_num_queries):
    order(customer, 1)
    with django_assert_num_queries(3 + 1):
        order(customer, 1)


@pytest.mark.django_db(transaction=True)
def test_of_many_orders_at_once_no_more_pieces_are_taken_than_the_limit(customer, order):
    token = customer.defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    gate = threading.Barrier(AT_ONCE)

    def place(_):
        client = type(customer)(token, customer.user_id)
        try:
            gate.wait()
            while (status := order(client, 3).status_code) == 503:  # a machine that is busy: the client tries again
                time.sleep(0.1)
            return status
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = list(pool.map(place, range(AT_ONCE)))
    assert set(statuses) == {201, 409}
    quantities = OrderLine.objects.filter(order__user_id=customer.user_id).values_list("quantity", flat=True)
    assert sum(quantities) == 99
