"""The data that remains of a deleted customer, and tokens that were revoked."""

import secrets
import time

import orjson
import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.test import Client
from jsonschema import Draft202012Validator

from contracts import event_schema
from libs.access.caller import Caller
from libs.messaging.envelope import Event
from libs.values.times import now
from order_service.desk.models import StaffTokens
from order_service.events.topics import USERS_GROUP
from order_service.store.models import IdempotencyKey, Order, OrderNote, Outbox, OutboxDead, RevocationRow
from order_service.store.outbox import outbox
from order_service.store.worker_tables import stored_revocations
from order_service.tests.integration.neighbours import sign_in
from order_service.use_cases.orders.add_note import add_note
from order_service.worker.handlers import HANDLERS
from order_service.worker.retention import purge_sign_ins

pytestmark = pytest.mark.django_db

GRACE = Caller("5" * 24, "grace@example.com", "grace", ("staff",))
ADDRESS = {"name": "Ada L", "line1": "1 Long Lane", "city": "London", "postalCode": "N1", "country": "GB"}


def take(topic, key, **data):
    HANDLERS[USERS_GROUP][topic](Event("01K00000000000000000000000", topic, key, 1, "", data))


def test_a_deleted_customers_orders_stay_without_a_name(customer, make_caller, sell, place, monkeypatch):
    monkeypatch.setattr("order_service.use_cases.customers.erase_customer.BATCH_SIZE", 2)
    body = {"productId": sell(), "quantity": 1, "shippingAddress": ADDRESS}
    orders = [customer.send("/orders", body).json()["orderId"] for _ in range(5)]
    other = make_caller()
    kept = place(other)
    IdempotencyKey.objects.create(user_id=customer.user_id, key="k", body_hash="h", response="{}", created_at=now())
    for _ in range(2):
        take("user-deleted", customer.user_id, id=customer.user_id, deletedAt="2026-01-31T12:00:00.000Z")
    rows = Order.objects.filter(id__in=orders).values_list("user_email", "username", "shipping_address", "user_id")
    assert set(rows) == {("", f"gone-{customer.user_id}", None, customer.user_id)}
    assert not IdempotencyKey.objects.filter(user_id=customer.user_id).exists()
    assert Order.objects.get(pk=kept).user_email


def test_staffs_notes_on_a_deleted_customers_orders_go_and_those_on_other_orders_stay(customer, make_caller, place):
    mine, other = place(customer), place(make_caller())
    for order in (mine, other):
        add_note(caller=GRACE, order_id=order, text=f"Ada L of {order} rang")
    take("user-deleted", customer.user_id, id=customer.user_id, deletedAt="2026-01-31T12:00:00.000Z")
    assert OrderNote.objects.get().order_id == other


def test_notes_of_staff_who_are_deleted_stay_without_their_name(customer, place):
    add_note(caller=GRACE, order_id=place(customer), text="Rang")
    take("user-deleted", GRACE.user_id, id=GRACE.user_id, deletedAt="2026-01-31T12:00:00.000Z")
    assert OrderNote.objects.values_list("author", "author_name", "text").get() == (
        f"staff:{GRACE.user_id}",
        "",
        "Rang",
    )


def test_of_staff_who_are_deleted_the_desk_keeps_neither_tokens_nor_addresses(accounts, browser):
    email, other = accounts.add("staff"), accounts.add("staff")
    sign_in(browser, other)
    sign_in(Client(), email, "wrong")
    sign_in(Client(), other, "wrong")
    sign_in(browser, email)
    user_id = accounts.accounts[email]["user_id"]
    assert StaffTokens.objects.filter(user_id=user_id).count() == 1
    attempts = {"http_accept": "*/*", "path_info": "/admin/login/", "user_agent": "x", "ip_address": "203.0.113.1"}
    AccessFailureLog.objects.create(username=email, **attempts)
    AccessLog.objects.create(username=email, **attempts)
    assert AccessAttempt.objects.filter(username=email).exists()
    for _ in range(2):
        take("user-deleted", user_id, id=user_id, deletedAt="2026-01-31T12:00:00.000Z")
    assert list(StaffTokens.objects.values_list("user_id", flat=True)) == [accounts.accounts[other]["user_id"]]
    for table in (AccessAttempt, AccessFailureLog, AccessLog):
        assert not table.objects.filter(username=email).exists()
    assert AccessAttempt.objects.filter(username=other).exists()
    assert browser.get("/admin/").status_code == 302


def test_an_event_that_kafka_refused_loses_the_customer_and_nothing_else(customer, make_caller, place):
    orders = [place(customer), place(make_caller())]
    before = {row.aggregate_id: row.payload for row in Outbox.objects.all()}
    for row in outbox.pending(200):
        outbox.move_to_dead(row, "TOPIC_EXCEPTION")
    take("user-deleted", customer.user_id, id=customer.user_id, deletedAt="2026-01-31T12:00:00.000Z")
    after = {row.aggregate_id: row.payload for row in OutboxDead.objects.all()}
    gone = {"userEmail": None, "username": f"gone-{customer.user_id}"}
    assert orjson.loads(after[orders[0]]) == orjson.loads(before[orders[0]]) | gone
    Draft202012Validator(event_schema("order-placed")).validate(orjson.loads(after[orders[0]]))
    assert after[orders[1]] == before[orders[1]]


def test_later_events_of_such_an_order_have_no_email(customer, staff, place):
    order = place(customer)
    take("user-deleted", customer.user_id, id=customer.user_id, deletedAt="2026-01-31T12:00:00.000Z")
    assert staff.send(f"/orders/{order}/cancel", {}).status_code == 200
    assert '"userEmail":null' in Outbox.objects.get(aggregate_id=order, topic="order-cancelled").payload


def test_a_revoked_token_is_refused_and_one_of_a_later_login_is_not(config, tokens, make_caller, read_revocations):
    caller, before = make_caller(), round(time.time() * 1000) + 1
    assert caller.get("/orders").status_code == 200
    take("user-revocations", caller.user_id, userId=caller.user_id, sid=None, notBefore=before)
    take("user-revocations", caller.user_id, userId=caller.user_id, sid=None, notBefore=before)
    assert RevocationRow.objects.filter(user_id=caller.user_id).count() == 1
    answer = caller.get("/orders")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    who = {"user_id": caller.user_id, "email": "a@example.com", "username": "ada", "roles": []}
    again = tokens.mint(**who, issued_at=before)
    assert caller.get("/orders", headers={"authorization": f"Bearer {again}"}).status_code == 200


def test_of_a_login_alone_that_was_ended_the_tokens_are_refused(tokens, make_caller, read_revocations):
    who = {"user_id": secrets.token_hex(12), "email": "a@example.com", "username": "ada", "roles": []}
    ended, other = (tokens.mint(**who, sid=sid) for sid in ("s1", "s2"))
    later = round(time.time() * 1000) + 1
    take("user-revocations", who["user_id"], userId=who["user_id"], sid="s1", notBefore=later)
    statuses = [
        make_caller().get("/orders", headers={"authorization": f"Bearer {t}"}).status_code for t in (ended, other)
    ]
    assert statuses == [401, 200]


def test_old_revocations_and_sign_ins_are_dropped():
    RevocationRow.objects.create(user_id="1", sid=None, not_before=1, stored_at=now())
    RevocationRow.objects.create(user_id="2", sid=None, not_before=1, stored_at="2026-01-31T12:00:00Z")
    assert stored_revocations.purge() == 1
    assert RevocationRow.objects.get().user_id == "1"
    assert purge_sign_ins() == 0
