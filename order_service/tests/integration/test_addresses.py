"""The address that an order's mails go to: the latest one that is known of the account."""

import secrets
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from jsonschema import Draft202012Validator

from contracts import event_schema
from libs.access.caller import Caller
from libs.messaging.envelope import Event
from libs.messaging.failures import PermanentFailure
from libs.values.times import now_ms, rfc3339
from order_service.events.topics import USERS_GROUP
from order_service.store.models import Customer, Order, Outbox
from order_service.store.outbox import outbox
from order_service.tests.integration.stock import apply_stock_reply
from order_service.tests.integration.test_erasing import GRACE, take
from order_service.use_cases.customers import request_addresses as asking
from order_service.use_cases.customers.request_addresses import request_addresses
from order_service.use_cases.mails.resend_mail import resend_mail
from order_service.use_cases.orders.add_note import add_note
from order_service.worker.address_requests import make_address_requests
from order_service.worker.handlers import HANDLERS

pytestmark = pytest.mark.django_db

NEW, NEWER = "new@example.com", "newer@example.com"


def hear(user_id, email=NEW, *, seconds=5, key=None, time=None, **fields):
    """Handle user-updated of a change so many seconds from now."""
    data = {"id": user_id, "username": "ann", "email": email, "roles": [], "active": True}
    data |= {"createdAt": "2026-01-31T12:00:00.000Z", "emailVerified": True} | fields
    time = rfc3339(datetime.now(UTC) + timedelta(seconds=seconds)) if time is None else time
    HANDLERS[USERS_GROUP]["user-updated"](
        Event("01K00000000000000000000000", "user-updated", key or user_id, 2, time, data)
    )


def mailed(order, topic):
    """The address in the order's event, and whether it is verified."""
    row = Outbox.objects.filter(aggregate_id=order, topic=topic).latest("id")
    data = orjson.loads(row.payload)
    Draft202012Validator(event_schema(topic)).validate(data)
    return data["userEmail"], data.get("emailVerified")


def confirmed(order):
    apply_stock_reply(order_id=order, rejection=None)
    return mailed(order, "order-confirmed")


def own(customer):
    return f"u{customer.user_id[:10]}@example.com"


def test_until_the_address_is_known_the_orders_own_is_used(customer, make_caller, place):
    order = place(customer)
    assert mailed(order, "order-placed") == confirmed(order) == (own(customer), False)
    verified = make_caller(email_verified=True)
    assert confirmed(place(verified)) == (own(verified), True)


def test_every_later_mail_goes_to_the_present_address(customer, staff, place):
    order, another = place(customer), place(customer)
    hear(customer.user_id)
    assert confirmed(order) == (NEW, True)
    hear(customer.user_id, NEWER, seconds=10, emailVerified=False)
    staff.send(f"/orders/{order}/status", {"status": "shipped"}, "PUT")
    assert mailed(order, "order-shipped") == (NEWER, False)
    customer.send(f"/orders/{another}/cancel", {})
    assert mailed(another, "order-cancelled") == (NEWER, False)
    resend_mail(caller=GRACE, order_id=order, kind="order-placed")
    assert mailed(order, "mail-resend-requested") == (NEWER, False)


def test_the_mail_of_an_order_by_an_older_token_goes_to_the_present_address(customer, place):
    place(customer)
    hear(customer.user_id)
    assert mailed(place(customer), "order-placed") == (NEW, True)


def test_the_mail_of_an_order_by_a_token_that_is_newer_than_the_last_event_goes_to_the_tokens_address(
    customer, make_caller, place
):
    place(customer)
    hear(customer.user_id, seconds=-60)
    again = make_caller(user_id=customer.user_id, email=NEWER, issued_at=now_ms(), email_verified=True)
    order = place(again)
    assert mailed(order, "order-placed") == (NEWER, True)
    hear(customer.user_id, NEW, seconds=-30)  # the event of a change before the token, late
    assert confirmed(order) == (NEWER, True)


def test_an_event_of_before_does_not_replace_a_later_one(customer, place):
    order = place(customer)
    for email, seconds in ((NEWER, 10), (NEW, 5)):
        hear(customer.user_id, email, seconds=seconds)
    assert confirmed(order) == (NEWER, True)


def test_an_event_without_the_new_field_says_nothing_about_verification(customer, place):
    order = place(customer)
    hear(customer.user_id, emailVerified=None)
    assert confirmed(order) == (NEW, None)


def test_orders_of_before_have_no_row_and_no_time(customer, place):
    order = place(customer)
    Customer.objects.all().delete()
    Order.objects.update(email_at=None, email_verified=None)
    assert mailed(order, "order-placed")[0] == own(customer)
    assert confirmed(order) == (own(customer), None)


def test_an_address_is_kept_for_accounts_that_order_only():
    hear("a" * 24)
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "x"},
        {"email": ""},
        {"email": "x" * 255},
        {"email": None},
        {"emailVerified": "yes"},
        {"key": "b" * 24},
        {"time": ""},
        {"time": "soon"},
        {"time": "0001-01-01T00:00:00+14:00"},
        {"time": "9999-12-31T23:59:59-14:00"},
    ],
)
def test_a_malformed_event_changes_nothing(customer, place, fields):
    place(customer)
    with pytest.raises(PermanentFailure):
        hear(customer.user_id, **fields)
    assert Customer.objects.get(pk=customer.user_id).email is None


def test_an_event_takes_one_statement_and_an_order_no_more_than_before(customer, place, django_assert_num_queries):
    place(customer)
    with django_assert_num_queries(3):  # the test's own SAVEPOINT and RELEASE
        hear(customer.user_id)


def test_the_deletion_of_an_account_erases_its_address_for_good(customer, place):
    order = place(customer)
    hear(customer.user_id)
    take("user-deleted", customer.user_id, id=customer.user_id, deletedAt="2026-01-31T12:00:00.000Z")
    hear(customer.user_id, NEWER, seconds=10)
    row = Customer.objects.values("deleted", "email", "email_verified", "email_at", "ask_at").get(pk=customer.user_id)
    assert row == {"deleted": True, "email": None, "email_verified": None, "email_at": None, "ask_at": None}
    assert confirmed(order) == (None, None)
    assert request_addresses() == 0


def asked():
    """The accounts in the outbox that user_service is asked for, with the counter of each event."""
    rows = Outbox.objects.filter(topic="user-resend-requested").order_by("id")
    for row in rows:
        Draft202012Validator(event_schema(row.topic)).validate(orjson.loads(row.payload))
        assert orjson.loads(row.payload) == {"userId": row.aggregate_id}
    return [(row.aggregate_id, row.sequence) for row in rows]


def relay():
    outbox.delete(outbox.pending(200))


def test_the_address_of_an_account_that_is_not_known_is_asked_for_once(customer, place):
    place(customer)
    place(customer)
    assert (request_addresses(), request_addresses()) == (1, 0)
    assert asked() == [(customer.user_id, 1)]
    relay()
    hear(customer.user_id)
    Customer.objects.filter(ask_at__isnull=False).update(ask_at="2026-01-01T00:00:00Z")
    place(customer)
    assert request_addresses() == 0


def test_without_a_reply_it_is_asked_for_again_after_a_day(customer, place):
    place(customer)
    request_addresses()
    relay()
    wait = Customer.objects.get().ask_at - datetime.now(UTC)
    assert timedelta(hours=23) < wait <= timedelta(hours=24, seconds=5)
    Customer.objects.update(ask_at=datetime.now(UTC) - timedelta(seconds=1))
    assert request_addresses() == 1
    assert asked() == [(customer.user_id, 2)]


def test_few_are_asked_for_at_a_time(monkeypatch, make_caller, place):
    monkeypatch.setattr(asking, "BATCH_SIZE", 2)
    for _ in range(3):
        place(make_caller())
    assert [make_address_requests()._work()["requested"] for _ in range(3)] == [2, 1, 0]


def test_an_account_of_the_desk_alone_is_not_asked_for(staff, customer, place):
    local = Caller("admin", "admin@example.com", "admin", ("staff",))
    add_note(caller=local, order_id=place(customer), text="Rang")
    assert request_addresses() == 1
    assert asked() == [(customer.user_id, 1)]


def test_ids_differ_byte_by_byte(make_caller, place):
    user_id = secrets.token_hex(12)
    place(make_caller(user_id=user_id))
    assert Customer.objects.get().user_id == user_id
