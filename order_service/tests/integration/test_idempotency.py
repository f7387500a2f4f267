"""Idempotency-Key: one order for one key, whatever happens. Other responses than 201 store nothing."""

import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import orjson
import pytest
from django.db import connection

from libs.values.times import now
from order_service.store.models import CatalogueProduct, IdempotencyKey, Order, Outbox
from order_service.store.order_tables import idempotency_keys, orders
from order_service.tests.integration.test_placing import problem
from order_service.worker.retention import make_retention

pytestmark = pytest.mark.django_db

KEYS, AT_ONCE = 20, 50


def post(caller, body, key):
    raw = orjson.dumps(body)
    return caller.generic("POST", "/orders", raw, "application/json", headers={"idempotency-key": key})


@pytest.fixture
def body(sell):
    return {"productId": sell("19.90"), "quantity": 2, "productPrice": "19.90"}


def orders_of(customer):
    return Order.objects.filter(user_id=customer.user_id).count()


def test_a_repeated_request_gets_the_same_response_whatever_happened_since(customer, body):
    first = post(customer, body, "key 1")
    assert first.status_code == 201
    CatalogueProduct.objects.update(price="25.00", active=False)
    customer.send(f"/orders/{first.json()['orderId']}/cancel", {})
    again = post(customer, body, "key 1")
    assert (again.status_code, again.content) == (201, first.content)
    assert (orders_of(customer), Outbox.objects.filter(topic="order-placed").count()) == (1, 1)


def test_bodies_that_say_the_same_are_the_same(customer, body):
    first = post(customer, body, "k")
    other = dict(reversed(body.items())) | {"productPrice": 19.9}
    assert post(customer, other, "k").content == first.content
    assert post(customer, other | {"shippingAddress": None}, "k").content == first.content


@pytest.mark.parametrize("change", [{"quantity": 3}, {"productPrice": "19.91"}, {"productPrice": None}])
def test_the_same_key_with_another_body_is_refused(customer, body, change):
    post(customer, body, "k")
    problem(post(customer, body | change, "k"), 422, "idempotency-key-reused")
    assert orders_of(customer) == 1


def test_keys_are_the_customers_own_and_differ_by_case(customer, make_caller, body):
    callers = [customer, make_caller(), customer]
    ids = [post(who, body, key).json()["orderId"] for who, key in zip(callers, ["k", "k", "K"], strict=True)]
    assert len(set(ids)) == 3


def test_other_responses_than_201_are_not_stored(customer, body):
    problem(post(customer, body | {"productPrice": "1.00"}, "k"), 409, "price-changed")
    problem(post(customer, body | {"productId": "0" * 24}, "k"), 422, "unknown-product")
    problem(post(customer, body | {"quantity": 0}, "k"), 400, "invalid")
    assert not IdempotencyKey.objects.exists()
    assert post(customer, body, "k").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 129, "käse", "tab\there", "\x7f"])
def test_a_key_has_up_to_128_printable_characters(customer, body, key):
    errors = problem(post(customer, body, key), 400, "invalid")["errors"]
    assert [error["field"] for error in errors] == ["Idempotency-Key"]
    assert orders_of(customer) == 0


def test_a_key_may_be_long_and_have_any_printable_character(customer, body):
    for key in ("x" * 128, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "~ !;,"):
        first = post(customer, body, key)
        assert post(customer, body, key).content == first.content


def test_a_key_costs_four_statements_and_a_stored_response_one(customer, body, place, django_assert_num_queries):
    place(customer)
    with django_assert_num_queries(3 + 4 + 2):  # find, lock, claim, save; the test's own SAVEPOINT and RELEASE
        post(customer, body, "k")
    with django_assert_num_queries(1):
        post(customer, body, "k")


def test_after_a_day_a_key_is_a_new_one(customer, body):
    first = post(customer, body, "k").json()["orderId"]
    IdempotencyKey.objects.update(created_at=now() - timedelta(hours=24, seconds=1))
    second = post(customer, body | {"quantity": 3}, "k").json()["orderId"]
    assert first != second
    assert orders_of(customer) == 2


def test_keys_are_purged_after_a_day(customer, body):
    post(customer, body, "old")
    IdempotencyKey.objects.update(created_at=now() - timedelta(hours=25))
    post(customer, body, "new")
    assert idempotency_keys.purge() == 1
    assert IdempotencyKey.objects.values_list("key", flat=True).get() == "new"


def test_many_old_keys_are_purged_batch_by_batch(db):
    old = {"user_id": "u", "body_hash": "", "response": "{}", "created_at": now() - timedelta(days=2)}
    IdempotencyKey.objects.bulk_create(
        IdempotencyKey(key=str(n), **old) for n in range(idempotency_keys.BATCH_SIZE + 1)
    )
    retention = make_retention()
    assert (retention._run_once(), retention.status()["keys"]) == (0.0, idempotency_keys.BATCH_SIZE)
    assert retention._run_once() > 0
    assert retention.status()["keys"] == idempotency_keys.BATCH_SIZE + 1


@pytest.fixture
def other_connection():
    """A connection as another process has it."""
    other = connection.copy()
    yield other
    other.close()


@pytest.mark.django_db(transaction=True)
def test_while_the_first_is_in_flight_the_second_is_refused_at_once_and_a_kill_leaves_nothing(
    customer, body, other_connection
):
    other_connection.set_autocommit(False)
    with other_connection.cursor() as cursor:
        columns = "user_id, `key`, body_hash, response, created_at"
        cursor.execute(f"INSERT INTO idempotency_keys ({columns}) VALUES (%s, 'k', '', '', NOW(6))", [customer.user_id])
        cursor.execute("SELECT CONNECTION_ID()")
        number = cursor.fetchone()[0]
    began = time.monotonic()
    problem(post(customer, body, "k"), 409, "idempotency-key-in-flight")
    assert time.monotonic() - began < 5
    with connection.cursor() as cursor:
        cursor.execute(f"KILL {number}")  # what the server does when the client's process has ended
    assert post(customer, body, "k").status_code == 201
    assert orders_of(customer) == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_order_there_is_no_key(customer, body, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("the event can't be stored")

    monkeypatch.setattr(orders.outbox, "make_rows", fail)
    customer.raise_request_exception = False
    problem(post(customer, body, "k"), 500)
    assert (IdempotencyKey.objects.count(), orders_of(customer)) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_with_the_same_keys_are_one_order_a_key(make_caller, customer, body):
    keys = [secrets.token_hex(8) for _ in range(KEYS)]
    token = customer.defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")

    gate = threading.Barrier(AT_ONCE)

    def send_all(_):
        client = type(customer)(token, customer.user_id)
        try:
            return [(gate.wait(), post(client, body, key))[1] for key in keys]
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(zip(*pool.map(send_all, range(AT_ONCE)), strict=True))  # by key
    assert orders_of(customer) == KEYS
    for same in answers:
        assert {answer.status_code for answer in same} <= {201, 409}
        assert len({answer.content for answer in same if answer.status_code == 201}) == 1
