"""Resent mails, notes, resent events and the records of sent mails: by staff only, and each once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from django.db import connection
from ulid import ULID

from libs.access.caller import Caller
from libs.messaging.envelope import Event
from libs.messaging.failures import PermanentFailure
from libs.values.errors import Invalid, NotAllowed
from order_service.domain.errors import CustomerDeleted, StepNotTaken, UnknownOrder
from order_service.domain.order_status import Status
from order_service.events.topics import MAILS_GROUP
from order_service.store.models import MailRequest, Order, OrderChange, OrderNote, Outbox, OutboxDead, SentMail
from order_service.store.order_tables import orders
from order_service.store.outbox import outbox
from order_service.tests.integration.stock import apply_stock_reply
from order_service.use_cases.customers.erase_customer import erase_customer
from order_service.use_cases.mails.resend_mail import resend_mail
from order_service.use_cases.orders.add_note import MAX_NOTE_LENGTH, add_note
from order_service.use_cases.resend_dead_events import resend_dead_events
from order_service.worker.handlers import HANDLERS

pytestmark = pytest.mark.django_db

GRACE = Caller("5" * 24, "grace@example.com", "grace", ("staff",))
NOT_STAFF = [Caller("6" * 24, "a@example.com", "ann"), Caller("7" * 24, "v@example.com", "vic", ("viewer",))]
SENT = "2026-01-31T12:00:00.250Z"


def request_mail(order, kind="order-placed"):
    resend_mail(caller=GRACE, order_id=order, kind=kind)


def events(order):
    rows = Outbox.objects.filter(aggregate_id=order).order_by("sequence")
    return list(rows.values_list("topic", "sequence"))


def payload_of(order, topic):
    return orjson.loads(Outbox.objects.get(aggregate_id=order, topic=topic).payload)


def move_to_dead(order, topic="order-placed"):
    """Let Kafka refuse the order's event of that topic; return its id."""
    [row] = [row for row in outbox.pending(200) if (row.aggregate_id, row.topic) == (order, topic)]
    outbox.move_to_dead(row, "TOPIC_EXCEPTION")
    return row.event_id


def race(*works):
    """Run the works at once, each on a connection of its own."""
    gate = threading.Barrier(len(works))

    def run(work):
        gate.wait()
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_a_request_for_a_mail_has_the_content_of_the_change(customer, staff, place_confirmed):
    order = place_confirmed(customer)
    assert staff.send(f"/orders/{order}/cancel", {}).status_code == 200
    before = Order.objects.values().get(pk=order)
    for kind in ("order-cancelled", "order-placed"):
        request_mail(order, kind)
        requested = orjson.loads(Outbox.objects.filter(aggregate_id=order).latest("sequence").payload)
        assert requested == payload_of(order, kind) | {"kind": kind}
    assert events(order)[3:] == [("mail-resend-requested", 4), ("mail-resend-requested", 5)]
    assert Order.objects.values().get(pk=order) == before | {"sequence": 5}
    assert OrderChange.objects.filter(order_id=order).count() == 3


def test_a_request_names_its_event_and_its_actor(customer, place):
    order = place(customer)
    request_mail(order)
    row = Outbox.objects.get(topic="mail-resend-requested")
    headers = orjson.loads(row.headers)
    assert (headers["ce_id"], headers["ce_sequence"], headers["ce_subject"]) == (row.event_id, "2", order)
    request = MailRequest.objects.get()
    assert (request.event_id, request.order_id, request.kind) == (row.event_id, order, "order-placed")
    assert request.actor == f"staff:{GRACE.user_id}"


@pytest.mark.parametrize("kind", ["order-shipped", "order-rejected", "order-lost", "user-registered", "", "pending"])
def test_no_mail_is_resent_for_a_status_that_the_order_never_had(customer, place_confirmed, kind):
    order = place_confirmed(customer)
    with pytest.raises(StepNotTaken):
        request_mail(order, kind)
    assert (len(events(order)), MailRequest.objects.count(), Order.objects.get().sequence) == (2, 0, 2)


@pytest.mark.parametrize("caller", NOT_STAFF, ids=["customer", "viewer"])
def test_only_staff_may_resend_and_add_notes(customer, place, caller):
    order = place(customer)
    dead = move_to_dead(order)
    for work in (
        lambda: resend_mail(caller=caller, order_id=order, kind="order-placed"),
        lambda: add_note(caller=caller, order_id=order, text="Hello"),
        lambda: resend_dead_events(caller=caller, event_ids=[dead]),
    ):
        with pytest.raises(NotAllowed):
            work()
    assert (events(order), OrderNote.objects.count(), OutboxDead.objects.count()) == ([], 0, 1)


def test_the_order_must_exist():
    for work in (request_mail, lambda order: add_note(caller=GRACE, order_id=order, text="Hello")):
        for order in (str(ULID()), "", "x" * 300):
            with pytest.raises(UnknownOrder):
                work(order)


def test_no_mail_is_resent_to_a_deleted_customer(customer, place):
    order = place(customer)
    erase_customer(user_id=customer.user_id)
    with pytest.raises(CustomerDeleted):
        request_mail(order)
    assert events(order) == [("order-placed", 1)]


def test_a_request_for_a_mail_takes_few_statements(customer, place, django_assert_num_queries):
    order = place(customer)
    with django_assert_num_queries(7):  # order, step, counter, event, request; the test's own SAVEPOINT and RELEASE
        request_mail(order)


@pytest.mark.django_db(transaction=True)
def test_ten_who_resend_at_once_leave_no_gap_among_the_orders_events(customer, place):
    order = place(customer)
    race(*[lambda: request_mail(order)] * 10)
    assert [sequence for _, sequence in events(order)] == list(range(1, 12))
    assert set(MailRequest.objects.values_list("event_id", flat=True)) == set(
        Outbox.objects.filter(sequence__gt=1).values_list("event_id", flat=True)
    )


@pytest.mark.django_db(transaction=True)
def test_a_reply_of_stock_is_not_lost_to_requests_for_mails_at_the_same_time(customer, place):
    for _ in range(5):
        order = place(customer)
        outcomes = race(
            lambda order=order: apply_stock_reply(order_id=order, rejection=None),
            *[lambda o=order: request_mail(o)] * 3,
        )
        assert outcomes[0] is True
        assert Order.objects.get(pk=order).status == Status.CONFIRMED
        assert [sequence for _, sequence in events(order)] == [1, 2, 3, 4, 5]


def test_an_event_between_read_and_update_costs_one_more_read(customer, place, monkeypatch):
    order, find, reads = place(customer), orders.find, []

    def find_and_be_overtaken(order_id, **_):
        reads.append(order_id)
        found = find(order_id)
        if len(reads) == 1:
            request_mail(order_id)
        return found

    monkeypatch.setattr(orders, "find", find_and_be_overtaken)
    assert customer.send(f"/orders/{order}/cancel", {}).status_code == 200
    assert events(order) == [("order-placed", 1), ("mail-resend-requested", 2), ("order-cancelled", 3)]
    assert len(reads) == 3  # of the cancellation, of the request, and of the cancellation again


def test_a_note_is_stored_with_its_lines_and_its_author(customer, place):
    order = place(customer)
    add_note(caller=GRACE, order_id=order, text="  Rang the customer.\r\nWill be in after six. ☎ \n")
    note = OrderNote.objects.get()
    assert (note.order_id, note.text) == (order, "Rang the customer.\nWill be in after six. ☎")
    assert (note.author, note.author_name) == (f"staff:{GRACE.user_id}", "grace")
    add_note(caller=GRACE, order_id=order, text="☎" * MAX_NOTE_LENGTH)
    assert OrderNote.objects.filter(order_id=order).last().text == "☎" * MAX_NOTE_LENGTH


@pytest.mark.parametrize(
    "text", ["", " \n ", "x" * 2001, "a\u2028b", "a\0b", "a\x1b[31mb", "a\u202eb", "a\x85b", "\ud800"]
)
def test_a_note_that_is_not_plain_text_is_an_error_of_its_field(customer, place, text):
    order = place(customer)
    with pytest.raises(Invalid) as refused:
        add_note(caller=GRACE, order_id=order, text=text)
    [row] = refused.value.errors
    assert row["field"] == "text"
    assert row["message"]
    assert not OrderNote.objects.exists()


def test_customers_see_no_note(customer, place):
    order = place(customer)
    before = customer.get(f"/orders/{order}").json()
    add_note(caller=GRACE, order_id=order, text="a-note-for-us")
    assert customer.get(f"/orders/{order}").json() == before
    assert b"a-note-for-us" not in customer.get("/orders").content


def test_a_dead_event_is_resent_unchanged(customer, place):
    order = place(customer)
    before = Outbox.objects.values("event_id", "payload", "headers", "created_at", "sequence").get()
    dead = move_to_dead(order)
    assert resend_dead_events(caller=GRACE, event_ids=[dead, dead, str(ULID())]) == 1
    assert Outbox.objects.values(*before).get() == before
    assert not OutboxDead.objects.exists()
    assert resend_dead_events(caller=GRACE, event_ids=[dead]) == 0
    assert resend_dead_events(caller=GRACE, event_ids=[]) == 0


def test_the_reservation_request_of_a_decided_order_is_not_resent(customer, place):
    order, pending = place(customer), place(customer)
    customer.send(f"/orders/{order}/cancel", {})
    request, cancelled, other = move_to_dead(order), move_to_dead(order, "order-cancelled"), move_to_dead(pending)
    assert resend_dead_events(caller=GRACE, event_ids=[request, cancelled, other]) == 2
    assert OutboxDead.objects.get().event_id == request
    assert events(order) == [("order-cancelled", 2)]
    assert events(pending) == [("order-placed", 1)]


def hear(key, **fields):
    """Handle a record of topic mail-sent as it comes from Kafka; such records have no sequence."""
    data = {"kind": "order-placed", "orderId": str(ULID()), "sentAt": SENT} | fields
    HANDLERS[MAILS_GROUP]["mail-sent"](Event(str(ULID()), "mail-sent", key, 0, "", data))


def test_a_sent_mail_is_recorded_once_under_the_id_of_its_event():
    order, mailed = str(ULID()), str(ULID())
    for _ in range(2):
        hear(mailed, orderId=order)
    mail = SentMail.objects.get()
    assert (mail.event_id, mail.kind, mail.order_id) == (mailed, "order-placed", order)
    assert mail.sent_at.isoformat() == "2026-01-31T12:00:00.250000+00:00"


@pytest.mark.parametrize(("fields", "outcome"), [({}, "sent"), ({"outcome": "suppressed"}, "suppressed")])
def test_what_became_of_a_mail_is_recorded(fields, outcome):
    hear(str(ULID()), **fields)
    assert SentMail.objects.get().outcome == outcome


def test_mails_that_are_not_about_an_order_are_not_recorded():
    hear(str(ULID()), kind="user-registered", orderId=None)
    assert not SentMail.objects.exists()


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        ("no-ulid", {}),
        ("x" * 200, {}),
        ("01K00000000000000000000000", {"orderId": "1"}),
        ("01K00000000000000000000000", {"orderId": 7}),
        ("01K00000000000000000000000", {"kind": "x" * 65}),
        ("01K00000000000000000000000", {"kind": ""}),
        ("01K00000000000000000000000", {"outcome": ""}),
        ("01K00000000000000000000000", {"outcome": "x" * 33}),
        ("01K00000000000000000000000", {"sentAt": "soon"}),
        ("01K00000000000000000000000", {"sentAt": "2026-01-31T12:00:00"}),
    ],
)
def test_a_malformed_record_is_dead_lettered(key, fields):
    with pytest.raises(PermanentFailure):
        hear(key, **fields)
    assert not SentMail.objects.exists()


def test_a_mail_takes_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        hear(str(ULID()))
