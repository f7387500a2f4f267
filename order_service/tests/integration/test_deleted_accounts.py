"""Personal data of a deleted account: none is left, in whatever order its requests and its events come."""

import pytest
from django.contrib.auth.models import User
from django.db import connection

from libs.access.caller import Caller
from order_service.desk.sign_in.backend import upsert_account
from order_service.domain.errors import CustomerDeleted
from order_service.store import customers
from order_service.store.models import (
    Customer,
    IdempotencyKey,
    Order,
    OrderNote,
    Outbox,
    OutboxDead,
    ReservationRequest,
)
from order_service.store.outbox import outbox
from order_service.tests.integration.stock import apply_stock_reply
from order_service.tests.integration.test_addresses import hear
from order_service.tests.integration.test_cancelling_once import cancel
from order_service.tests.integration.test_erasing import GRACE, take
from order_service.tests.integration.test_placing import problem
from order_service.use_cases.mails.resend_mail import resend_mail
from order_service.use_cases.orders.add_note import add_note

STATEMENTS = 12
"""The mark, ids (2), orders, notes, keys, events; the author's notes, keys, desk tokens, address at the desk and desk account."""


def delete(user_id):
    take("user-deleted", user_id, id=user_id, deletedAt="2026-01-31T12:00:00.000Z")


def found(*words):
    """The columns of all tables that hold one of these words."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()"
            " AND data_type IN ('varchar', 'char', 'text', 'mediumtext', 'longtext', 'json')"
        )
        columns = cursor.fetchall()
        places = set()
        for table, column in columns:
            for word in words:
                cursor.execute(f"SELECT 1 FROM `{table}` WHERE CAST(`{column}` AS CHAR) LIKE %s LIMIT 1", [f"%{word}%"])
                if cursor.fetchone():
                    places.add(f"{table}.{column}")
        return places


def words_of(user_id):
    """What a table must not hold: name, address and e-mail. The id stays."""
    return f"u{user_id[:10]}", "Long Lane", "new@example.com", "Ada L"


@pytest.mark.django_db
def test_staff_who_sign_in_while_their_account_is_deleted_leave_no_address_at_the_desk(customer):
    staff = Caller(customer.user_id, "new@example.com", f"u{customer.user_id[:10]}", ("staff",))
    assert upsert_account(staff)
    delete(customer.user_id)
    assert upsert_account(staff) is None  # its login was checked before the deletion
    assert found(*words_of(customer.user_id)) == set()


@pytest.mark.django_db
def test_an_order_that_comes_after_the_event_is_refused_and_leaves_nothing(customer, post):
    delete(customer.user_id)
    problem(post(customer), 401, "not-authenticated")
    problem(post(customer, "k"), 401, "not-authenticated")
    assert not Order.objects.exists()
    assert found(*words_of(customer.user_id)) == set()


@pytest.mark.django_db
def test_orders_before_the_event_lose_their_customer_everywhere(customer, staff, post, monkeypatch):
    monkeypatch.setattr("order_service.use_cases.customers.erase_customer.BATCH_SIZE", 2)
    placed = [post(customer, key).json()["orderId"] for key in (None, "k", "l", None, None)]
    hear(customer.user_id)
    add_note(caller=GRACE, order_id=placed[0], text="Ada L rang")
    apply_stock_reply(order_id=placed[1], rejection=None)
    cancel(staff, placed[2], "c")
    resend_mail(caller=GRACE, order_id=placed[3], kind="order-placed")
    for row in outbox.pending(200)[::2]:
        outbox.move_to_dead(row, "TOPIC_EXCEPTION")
    holding = {"orders.user_email", "orders.shipping_address", "outbox.payload", "outbox_dead.payload"}
    holding |= {"pending_orders.payload", "idempotency_keys.response", "order_notes.text", "customers.email"}
    assert holding <= found(*words_of(customer.user_id))
    for _ in range(2):
        delete(customer.user_id)
        assert found(*words_of(customer.user_id)) == set()
    assert Order.objects.count() == 5
    assert ReservationRequest.objects.count() == 3


@pytest.mark.django_db
def test_the_events_of_a_deleted_customer_are_still_published(customer, post):
    placed = post(customer).json()["orderId"]
    delete(customer.user_id)
    [row] = [row for row in outbox.pending(200) if row.aggregate_id == placed]
    assert '"userEmail":null' in row.payload


@pytest.mark.django_db
def test_late_events_of_the_account_bring_nothing_back(customer, post):
    post(customer)
    delete(customer.user_id)
    hear(customer.user_id, seconds=100)
    assert found(*words_of(customer.user_id)) == set()


@pytest.mark.django_db
def test_the_response_to_a_key_goes_with_the_account(customer, post):
    post(customer, "k")
    delete(customer.user_id)
    problem(post(customer, "k"), 401, "not-authenticated")
    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db
def test_a_note_on_an_order_of_a_deleted_account_is_refused(customer, place):
    order = place(customer)
    delete(customer.user_id)
    with pytest.raises(CustomerDeleted):
        add_note(caller=GRACE, order_id=order, text="Ada L rang")


@pytest.mark.django_db
def test_a_note_of_staff_who_were_deleted_has_no_name(customer, place):
    order = place(customer)
    delete(GRACE.user_id)
    add_note(caller=GRACE, order_id=order, text="Rang")
    assert OrderNote.objects.get().author_name == ""


@pytest.mark.django_db
def test_a_row_that_the_relay_read_before_the_deletion_is_moved_as_it_is_now(customer, place):
    place(customer)
    rows = outbox.pending(200)
    delete(customer.user_id)
    for row in rows:
        outbox.move_to_dead(row, "TOPIC_EXCEPTION")
    assert OutboxDead.objects.count() == len(rows)
    assert found(*words_of(customer.user_id)) == set()


@pytest.mark.django_db
def test_between_the_mark_and_the_erasure_no_event_gets_the_address(customer, place):
    order = place(customer)
    customers.mark_deleted(customer.user_id)
    apply_stock_reply(order_id=order, rejection=None)
    assert '"userEmail":null' in Outbox.objects.get(aggregate_id=order, topic="order-confirmed").payload


@pytest.mark.django_db
@pytest.mark.parametrize("orders", [1, 4])
def test_an_erasure_takes_few_statements_however_many_orders(customer, post, django_assert_num_queries, orders):
    for _ in range(orders):
        post(customer)
    delete(customer.user_id)
    with django_assert_num_queries(STATEMENTS):
        delete(customer.user_id)


@pytest.mark.django_db
def test_the_desk_account_of_a_deleted_account_is_closed(staff):
    User.objects.create(username=staff.user_id, email="u@example.com", first_name="u", is_staff=True)
    delete(staff.user_id)
    assert User.objects.values_list("email", "first_name", "is_staff", "is_active").get() == ("", "", False, False)
    assert Customer.objects.get().deleted
