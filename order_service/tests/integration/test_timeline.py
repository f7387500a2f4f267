"""The timeline: all that happened to an order in one list, by few queries, each by an index."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from ulid import ULID

from libs.access.caller import Caller
from libs.values.times import now
from order_service.domain.rejection import Rejection
from order_service.queries.timeline import read_timeline
from order_service.store.models import MailRequest, OrderChange, OrderNote, Outbox, OutboxDead, SentMail
from order_service.store.outbox import outbox
from order_service.tests.integration.explain import explain
from order_service.tests.integration.stock import apply_stock_reply, record_sent_mail
from order_service.use_cases.customers.erase_customer import erase_customer
from order_service.use_cases.mails.resend_mail import resend_mail
from order_service.use_cases.orders.add_note import add_note

pytestmark = pytest.mark.django_db

GRACE = Caller("5" * 24, "grace@example.com", "grace", ("staff",))
QUERIES = 7  # changes, requests, names of staff, waiting events, refused ones, mails, notes


def publish():
    rows = outbox.pending(200)
    outbox.delete(rows)
    return rows


def shown(order):
    return [(entry.kind, entry.title, entry.detail, entry.who) for entry in read_timeline(order)]


@pytest.fixture
def eventful(customer, staff, place_confirmed):
    """An order to which everything happened that is shown."""
    order = place_confirmed(customer)
    add_note(caller=GRACE, order_id=order, text="Wrap it.\nTwice.")
    placed, _ = publish()
    record_sent_mail(event_id=placed.event_id, kind="order-placed", order_id=order, sent_at=now(), outcome="sent")
    resend_mail(caller=GRACE, order_id=order, kind="order-placed")
    [requested] = publish()
    record_sent_mail(event_id=requested.event_id, kind="order-placed", order_id=order, sent_at=now(), outcome="sent")
    assert staff.send(f"/orders/{order}/status", {"status": "shipped"}, "PUT").status_code == 200
    [shipped] = outbox.pending(200)
    outbox.move_to_dead(shipped, "TOPIC_EXCEPTION")
    assert staff.send(f"/orders/{order}/status", {"status": "delivered"}, "PUT").status_code == 200
    return order, shipped.event_id, Outbox.objects.get().event_id


def test_it_shows_all_that_happened_and_who_did_it(customer, staff, eventful):
    order, shipped, delivered = eventful
    User.objects.create(username=GRACE.user_id, first_name="grace")
    other = f"staff:{staff.user_id}"
    assert sorted(shown(order)) == sorted(
        [
            ("change", "Placed", "", "customer"),
            ("change", "Confirmed", "from pending", "the shop"),
            ("note", "Note", "Wrap it.\nTwice.", "grace"),
            ("mail", "Mail sent: order-placed", "", ""),
            ("request", "Mail resend requested: order-placed", "", "grace"),
            ("mail", "Mail sent again: order-placed", "", ""),
            ("change", "Shipped", "from confirmed", other),
            ("event", "order-shipped was refused by Kafka", f"event {shipped}: TOPIC_EXCEPTION", ""),
            ("change", "Delivered", "from shipped", other),
            ("event", "order-delivered waits for Kafka", f"event {delivered}", ""),
        ]
    )


def test_it_is_in_the_order_of_time(customer, place):
    order, moment = place(customer), now()
    for minutes in (3, 1, 2):
        at = moment + timedelta(minutes=minutes)
        record_sent_mail(event_id=str(ULID()), kind=f"order-{minutes}", order_id=order, sent_at=at, outcome="sent")
    entries = read_timeline(order)
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    assert entries[0].title == "Placed"
    assert [entry.title[-1] for entry in entries[-3:]] == ["1", "2", "3"]


def test_a_reason_is_shown_in_words(customer, place):
    order = place(customer)
    apply_stock_reply(order_id=order, rejection=Rejection("out_of_stock"))
    assert ("change", "Rejected", "from pending: out of stock", "the shop") in shown(order)


def test_an_unknown_order_has_no_entries():
    assert read_timeline(str(ULID())) == []


def test_the_entries_of_another_order_are_not_shown(customer, place, eventful):
    order = place(customer)
    assert {entry[1] for entry in shown(order)} == {"Placed", "order-placed waits for Kafka"}


def test_deleted_staff_keep_their_id_and_a_deleted_customers_notes_are_erased(customer, place, eventful):
    order, _, _ = eventful
    User.objects.create(username=GRACE.user_id, first_name="grace")
    erase_customer(user_id=GRACE.user_id)
    whos = {who for kind, _, _, who in shown(order) if kind in ("note", "request")}
    assert whos == {f"staff:{GRACE.user_id}"}
    erase_customer(user_id=customer.user_id)
    assert "note" not in {kind for kind, _, _, _ in shown(order)}


def test_it_takes_as_many_queries_however_much_happened(customer, staff, place, eventful, django_assert_num_queries):
    order, _, _ = eventful
    for number in range(20):
        add_note(caller=GRACE, order_id=order, text=f"{number}")
        resend_mail(caller=GRACE, order_id=order, kind="order-placed")
    with django_assert_num_queries(QUERIES):
        read_timeline(order)


def test_each_query_goes_by_an_index(customer, eventful, place):
    order, _, _ = eventful
    fill(place(customer))
    with CaptureQueriesContext(connection) as queries:
        read_timeline(order)
    assert len(queries) == QUERIES
    for query in queries:
        [plan] = explain(query["sql"])
        assert plan["key"], query["sql"]
        assert plan["type"] in ("ref", "range", "const", "eq_ref"), (plan, query["sql"])


def fill(order, count=300):
    """Rows enough for an index to be worth while."""
    at, ids = now(), [str(ULID()) for _ in range(count)]
    OrderChange.objects.bulk_create(
        OrderChange(order_id=order, to_status="shipped", actor="saga", at=at) for _ in range(count)
    )
    OrderNote.objects.bulk_create(OrderNote(order_id=order, author="staff:x", text="x", at=at) for _ in range(count))
    MailRequest.objects.bulk_create(
        MailRequest(event_id=key, order_id=order, kind="order-placed", actor="saga", at=at) for key in ids
    )
    SentMail.objects.bulk_create(
        SentMail(event_id=key, kind="order-placed", order_id=str(ULID()), sent_at=at) for key in ids
    )
    columns = {"topic": "order-placed", "payload": "{}", "headers": "{}", "created_at": at, "sequence": 1}
    Outbox.objects.bulk_create(Outbox(event_id=key, aggregate_id=key, **columns) for key in ids)
    dead = columns | {"reason": "x", "died_at": at}
    OutboxDead.objects.bulk_create(OutboxDead(event_id=key, aggregate_id=key, **dead) for key in ids)
    User.objects.bulk_create(User(username=key) for key in ids)
