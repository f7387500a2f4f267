"""Mails once more, notes, refused events and what went out: by staff alone, and each of it once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from django.db import connection
from ulid import ULID

from libs.access.caller import Caller
from libs.messaging.envelope import Event, MalformedEvent
from libs.values.errors import Invalid, NotAllowed
from order_service.domain.errors import CustomerGone, StepNotTaken, UnknownOrder
from order_service.events.topics import MAILS_GROUP
from order_service.store.models import MailRequest, Order, OrderChange, OrderNote, Outbox, OutboxDead, SentMail, Status
from order_service.store.outbox import DjangoOutbox
from order_service.use_cases import orders
from order_service.use_cases.correspondence import NOTE_LENGTH, add_note, request_mail, send_again
from order_service.worker.handlers import HANDLERS

pytestmark = pytest.mark.django_db

GRACE = Caller("5" * 24, "grace@example.com", "grace", ("staff",))
NOBODY = [Caller("6" * 24, "a@example.com", "ann"), Caller("7" * 24, "v@example.com", "vic", ("viewer",))]
SENT = "2026-01-31T12:00:00.250Z"


def ask(order, kind="order-placed"):
    request_mail(caller=GRACE, order_id=order, kind=kind)


def events(order):
    rows = Outbox.objects.filter(aggregate_id=order).order_by("sequence")
    return list(rows.values_list("topic", "sequence"))


def told(order, topic):
    return orjson.loads(Outbox.objects.get(aggregate_id=order, topic=topic).payload)


def move_to_dead(order, topic="order-placed"):
    """Let Kafka refuse the order's event of that topic; return its id."""
    [row] = [row for row in DjangoOutbox().pending(200) if (row.aggregate_id, row.topic) == (order, topic)]
    DjangoOutbox().move_to_dead(row, "TOPIC_EXCEPTION")
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


def test_a_mail_is_asked_for_with_what_the_step_said(customer, staff, place_confirmed):
    order = place_confirmed(customer)
    assert staff.send(f"/orders/{order}/cancel", {}).status_code == 200
    before = Order.objects.values().get(pk=order)
    for kind in ("order-cancelled", "order-placed"):
        ask(order, kind)
        asked = orjson.loads(Outbox.objects.filter(aggregate_id=order).latest("sequence").payload)
        assert asked == told(order, kind) | {"kind": kind}
    assert events(order)[3:] == [("mail-resend-requested", 4), ("mail-resend-requested", 5)]
    assert Order.objects.values().get(pk=order) == before | {"sequence": 5}
    assert OrderChange.objects.filter(order_id=order).count() == 3


def test_it_is_known_who_asked_for_which_event(customer, place):
    order = place(customer)
    ask(order)
    row = Outbox.objects.get(topic="mail-resend-requested")
    headers = orjson.loads(row.headers)
    assert (headers["ce_id"], headers["ce_sequence"], headers["ce_subject"]) == (row.event_id, "2", order)
    request = MailRequest.objects.get()
    assert (request.event_id, request.order_id, request.kind) == (row.event_id, order, "order-placed")
    assert request.actor == f"staff:{GRACE.user_id}"


@pytest.mark.parametrize("kind", ["order-shipped", "order-rejected", "order-lost", "user-registered", "", "pending"])
def test_no_mail_is_sent_again_of_a_step_that_the_order_did_not_take(customer, place_confirmed, kind):
    order = place_confirmed(customer)
    with pytest.raises(StepNotTaken):
        ask(order, kind)
    assert (len(events(order)), MailRequest.objects.count(), Order.objects.get().sequence) == (2, 0, 2)


@pytest.mark.parametrize("caller", NOBODY, ids=["customer", "viewer"])
def test_only_staff_write_on_an_order(customer, place, caller):
    order = place(customer)
    dead = move_to_dead(order)
    for work in (
        lambda: request_mail(caller=caller, order_id=order, kind="order-placed"),
        lambda: add_note(caller=caller, order_id=order, text="Hello"),
        lambda: send_again(caller=caller, event_ids=[dead]),
    ):
        with pytest.raises(NotAllowed):
            work()
    assert (events(order), OrderNote.objects.count(), OutboxDead.objects.count()) == ([], 0, 1)


def test_there_must_be_such_an_order():
    for work in (ask, lambda order: add_note(caller=GRACE, order_id=order, text="Hello")):
        for order in (str(ULID()), "", "x" * 300):
            with pytest.raises(UnknownOrder):
                work(order)


def test_nobody_writes_to_a_customer_who_is_gone(customer, place):
    order = place(customer)
    orders.forget_customer(user_id=customer.user_id)
    with pytest.raises(CustomerGone):
        ask(order)
    assert events(order) == [("order-placed", 1)]


def test_asking_for_a_mail_takes_few_statements(customer, place, django_assert_num_queries):
    order = place(customer)
    with django_assert_num_queries(7):  # order, step, counter, event, request; the test's own SAVEPOINT and RELEASE
        ask(order)


@pytest.mark.django_db(transaction=True)
def test_ten_who_ask_at_once_leave_no_gap_among_the_orders_events(customer, place):
    order = place(customer)
    race(*[lambda: ask(order)] * 10)
    assert [sequence for _, sequence in events(order)] == list(range(1, 12))
    assert set(MailRequest.objects.values_list("event_id", flat=True)) == set(
        Outbox.objects.filter(sequence__gt=1).values_list("event_id", flat=True)
    )


@pytest.mark.django_db(transaction=True)
def test_the_stocks_answer_is_not_lost_to_somebody_who_asks_for_a_mail_just_then(customer, place):
    for _ in range(5):
        order = place(customer)
        outcomes = race(lambda order=order: orders.confirm_order(order_id=order), *[lambda o=order: ask(o)] * 3)
        assert outcomes[0] is True
        assert Order.objects.get(pk=order).status == Status.CONFIRMED
        assert [sequence for _, sequence in events(order)] == [1, 2, 3, 4, 5]


def test_a_counter_that_was_raised_between_look_and_change_costs_one_look_more(customer, place, monkeypatch):
    order, read = place(customer), orders.read_order

    def read_and_be_overtaken(order_id):
        found = read(order_id)
        if not MailRequest.objects.exists():
            ask(order_id)
        return found

    monkeypatch.setattr(orders, "read_order", read_and_be_overtaken)
    assert orders.reject_order(order_id=order, reason="out_of_stock")
    assert events(order) == [("order-placed", 1), ("mail-resend-requested", 2), ("order-rejected", 3)]


def test_a_note_is_kept_with_its_lines_and_its_author(customer, place):
    order = place(customer)
    add_note(caller=GRACE, order_id=order, text="  Rang the customer.\r\nWill be in after six. ☎ \n")
    note = OrderNote.objects.get()
    assert (note.order_id, note.text) == (order, "Rang the customer.\nWill be in after six. ☎")
    assert (note.author, note.author_name) == (f"staff:{GRACE.user_id}", "grace")
    add_note(caller=GRACE, order_id=order, text="☎" * NOTE_LENGTH)
    assert OrderNote.objects.filter(order_id=order).last().text == "☎" * NOTE_LENGTH


@pytest.mark.parametrize("text", ["", " \n ", "x" * 2001, "a\tb", "a\0b", "a\x1b[31mb", "a\rb", "a\x85b", "\ud800"])
def test_a_note_is_some_plain_text_and_what_is_wrong_is_told_at_its_field(customer, place, text):
    order = place(customer)
    with pytest.raises(Invalid) as refused:
        add_note(caller=GRACE, order_id=order, text=text)
    [row] = refused.value.extra["errors"]
    assert row["field"] == "text"
    assert row["message"]
    assert not OrderNote.objects.exists()


def test_customers_see_no_note(customer, place):
    order = place(customer)
    before = customer.get(f"/orders/{order}").json()
    add_note(caller=GRACE, order_id=order, text="a-note-for-us")
    assert customer.get(f"/orders/{order}").json() == before
    assert b"a-note-for-us" not in customer.get("/orders").content


def test_a_refused_event_goes_out_again_as_it_was(customer, place):
    order = place(customer)
    before = Outbox.objects.values("event_id", "payload", "headers", "created_at", "sequence").get()
    dead = move_to_dead(order)
    assert send_again(caller=GRACE, event_ids=[dead, dead, str(ULID())]) == 1
    assert Outbox.objects.values(*before).get() == before
    assert not OutboxDead.objects.exists()
    assert send_again(caller=GRACE, event_ids=[dead]) == 0
    assert send_again(caller=GRACE, event_ids=[]) == 0


def test_the_question_of_an_order_that_is_decided_stays_dead_and_its_other_events_do_not(customer, place):
    order, pending = place(customer), place(customer)
    customer.send(f"/orders/{order}/cancel", {})
    question, cancelled, other = move_to_dead(order), move_to_dead(order, "order-cancelled"), move_to_dead(pending)
    assert send_again(caller=GRACE, event_ids=[question, cancelled, other]) == 2
    assert OutboxDead.objects.get().event_id == question
    assert events(order) == [("order-cancelled", 2)]
    assert events(pending) == [("order-placed", 1)]


def hear(key, **fields):
    """Handle a record of topic mail-sent as it comes from Kafka; such records have no sequence."""
    data = {"kind": "order-placed", "orderId": str(ULID()), "sentAt": SENT} | fields
    HANDLERS[MAILS_GROUP]["mail-sent"](Event(str(ULID()), "mail-sent", key, 0, "", data))


def test_a_mail_that_went_out_is_kept_once_under_the_id_of_its_event():
    order, mailed = str(ULID()), str(ULID())
    for _ in range(2):
        hear(mailed, orderId=order)
    mail = SentMail.objects.get()
    assert (mail.event_id, mail.kind, mail.order_id) == (mailed, "order-placed", order)
    assert mail.sent_at.isoformat() == "2026-01-31T12:00:00.250000+00:00"


def test_mails_about_no_order_are_none_of_ours():
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
        ("01K00000000000000000000000", {"sentAt": "soon"}),
        ("01K00000000000000000000000", {"sentAt": "2026-01-31T12:00:00"}),
    ],
)
def test_a_record_that_cannot_be_read_is_put_aside(key, fields):
    with pytest.raises(MalformedEvent):
        hear(key, **fields)
    assert not SentMail.objects.exists()


def test_a_mail_takes_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        hear(str(ULID()))
