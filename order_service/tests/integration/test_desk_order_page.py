"""The page of one order: what it shows, and what its forms do."""

import json
import re

import pytest
from ulid import ULID

from libs.values.times import now
from order_service.store.models import Order, OrderNote, Outbox, OutboxDead, SentMail
from order_service.tests.integration.stock import record_sent_mail
from order_service.use_cases.customers.erase_customer import erase_customer

pytestmark = pytest.mark.django_db

ADDRESS = {"name": "Ada <b>", "line1": "12 St James's Square", "city": "London", "postalCode": "SW1Y", "country": "GB"}


def at(order, form="change"):
    return f"/admin/orders/order/{order}/{form}/"


def messages(answer):
    return re.findall(r'<li class="desk-message \w+">(.*?)</li>', answer.content.decode())


def buttons(html):
    return re.findall(r'name="status" value="(\w+)"', html)


def test_the_address_is_shown_as_on_a_letter(sit_down, customer, sell):
    body = {"productId": sell("2.50", name="Brass lamp"), "quantity": 2, "shippingAddress": ADDRESS}
    order = customer.send("/orders", body).json()["orderId"]
    html = sit_down("viewer").get(at(order)).content.decode()
    assert "Ada &lt;b&gt;<br>12 St James&#x27;s Square<br>SW1Y London<br>GB</address>" in html
    for shown in ("Brass lamp", "5.00 USD", f"u{customer.user_id[:10]}@example.com"):
        assert shown in html


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("url", "trace", "link"),
    [
        ("http://traces.example/{traceId}?x=1&y", TRACE, f'href="http://traces.example/{TRACE}?x=1&amp;y"'),
        (None, TRACE, None),
        ("http://traces.example/{traceId}", None, None),
    ],
)
def test_a_mail_leads_to_its_trace_when_there_is_a_page_for_it(sit_down, customer, place, settings, url, trace, link):
    settings.TRACE_URL, order = url, place(customer)
    Outbox.objects.all().delete()  # as after its publication
    mail = {"event_id": str(ULID()), "kind": "order-placed", "order_id": order, "sent_at": now(), "outcome": "sent"}
    if trace:
        record_sent_mail(**mail, trace_id=trace)
    else:
        SentMail.objects.create(**mail)  # of an earlier version
    html = sit_down("viewer").get(at(order)).content.decode()
    assert "Mail sent: order-placed" in html
    assert (">Trace</a>" in html) == bool(link)
    assert (link or "") in html


@pytest.mark.parametrize("dead", [False, True], ids=["waits", "refused"])
def test_an_event_that_is_not_published_leads_to_its_trace(sit_down, customer, place, settings, dead):
    settings.TRACE_URL, order = "http://traces.example/{traceId}", place(customer)
    row = Outbox.objects.values().get(aggregate_id=order)
    trace = json.loads(row["headers"])["traceparent"].split("-")[1]
    if dead:
        Outbox.objects.all().delete()
        OutboxDead.objects.create(**{**row, "id": None}, reason="MSG_SIZE_TOO_LARGE", died_at=now())
    html = sit_down("viewer").get(at(order)).content.decode()
    assert ("was refused by Kafka" if dead else "waits for Kafka") in html
    assert f'href="http://traces.example/{trace}"' in html


def test_only_the_legal_steps_have_buttons(sit_down, customer, place, place_confirmed):
    desk, order = sit_down("staff"), place_confirmed(customer)
    assert buttons(desk.get(at(place(customer))).content.decode()) == ["cancelled"]
    for status, steps in (("shipped", ["delivered"]), ("delivered", [])):
        answer = desk.post(at(order, "status"), {"status": status}, follow=True)
        assert messages(answer) == [f"Order {order} is {status} now"]
        assert buttons(answer.content.decode()) == steps


def test_a_step_that_another_member_of_staff_made_first_says_so_and_changes_nothing(
    sit_down, customer, place_confirmed
):
    desk, order = sit_down("staff"), place_confirmed(customer)
    customer.send(f"/orders/{order}/cancel", {})
    answer = desk.post(at(order, "status"), {"status": "shipped"}, follow=True)
    assert messages(answer) == [f"Order {order}: A cancelled order can&#x27;t become shipped. Nothing was changed."]
    answer = desk.post(at(order, "status"), {"status": "confirmed"}, follow=True)
    assert "Nothing was changed" in messages(answer)[0]
    assert Order.objects.get(pk=order).status == "cancelled"


def test_a_step_that_was_made_before_is_not_reported_as_made(sit_down, staff, customer, place_confirmed):
    desk, order = sit_down("staff"), place_confirmed(customer)
    staff.send(f"/orders/{order}/status", {"status": "shipped"}, "PUT")
    answer = desk.post(at(order, "status"), {"status": "shipped"}, follow=True)
    assert messages(answer) == [f"Order {order} was shipped before. Nothing was changed."]
    assert Order.objects.get(pk=order).changes.filter(to_status="shipped").count() == 1


def test_a_note_is_kept_with_its_author(sit_down, customer, place):
    desk, order = sit_down("staff"), place(customer)
    answer = desk.post(at(order, "note"), {"text": "Ring <twice>"}, follow=True)
    assert messages(answer) == ["The note was added"]
    html = answer.content.decode()
    assert "Ring &lt;twice&gt;" in html
    note = OrderNote.objects.get(order_id=order)
    assert note.author.startswith("staff:")
    assert note.author_name in html


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "This field is required."),
        ("x" * 2001, "at most 2000 characters"),
        ("two\u2028lines", "A character is not allowed"),
    ],
)
def test_a_mistake_in_a_note_is_shown_at_its_field(sit_down, customer, place, text, error):
    order = place(customer)
    html = sit_down("staff").post(at(order, "note"), {"text": text}).content.decode()
    assert error in html[html.index('id="notes"') : html.index('id="mails"')]
    assert not OrderNote.objects.exists()


def test_the_mails_that_an_order_has_had_can_be_sent_again(sit_down, customer, place_confirmed):
    desk, order = sit_down("staff"), place_confirmed(customer)
    html = desk.get(at(order)).content.decode()
    assert re.findall(r'<option value="([^"]+)"', html) == ["order-placed", "order-confirmed"]
    assert messages(desk.post(at(order, "mail"), {"kind": "order-confirmed"}, follow=True)) == [
        "The mail will be resent"
    ]
    html = desk.post(at(order, "mail"), {"kind": "order-shipped"}).content.decode()
    assert "order-shipped is not one of the available choices" in html[html.index('id="mails"') :]


def test_the_mail_of_a_step_can_be_sent_again_after_the_order_was_cancelled(sit_down, customer, place, place_confirmed):
    desk = sit_down("staff")
    for order, before in (
        (place_confirmed(customer), ["order-placed", "order-confirmed"]),
        (place(customer), ["order-placed"]),
    ):
        customer.send(f"/orders/{order}/cancel", {})
        html = desk.get(at(order)).content.decode()
        assert re.findall(r'<option value="([^"]+)"', html) == [*before, "order-cancelled"]
        for kind in (*before, "order-cancelled"):
            answer = desk.post(at(order, "mail"), {"kind": kind}, follow=True)
            assert messages(answer) == ["The mail will be resent"]


def test_a_mail_that_was_suppressed_is_shown_as_such(sit_down, customer, place):
    order = place(customer)
    record_sent_mail(event_id=str(ULID()), kind="order-placed", order_id=order, sent_at=now(), outcome="suppressed")
    html = sit_down("viewer").get(at(order)).content.decode()
    assert "Mail suppressed: order-placed" in html
    assert "No mail went out" in html
    assert "Mail sent" not in html


def test_an_order_without_an_address_and_one_whose_address_was_erased_differ(sit_down, customer, place):
    desk, order = sit_down("viewer"), place(customer)
    assert "The order has none." in desk.get(at(order)).content.decode()
    erase_customer(user_id=customer.user_id)
    html = desk.get(at(order)).content.decode()
    assert "It was erased with the customer" in html
    assert "The order has none." not in html


def test_an_order_of_a_deleted_account_has_no_mails_to_send(sit_down, customer, place):
    order = place(customer)
    Order.objects.filter(pk=order).update(user_email="", username="gone", shipping_address=None)
    html = sit_down("staff").get(at(order)).content.decode()
    assert "The account was deleted." in html
    assert 'id="mails"' not in html


def test_a_line_break_counts_as_one_character_of_a_note(sit_down, customer, place):
    order, text = place(customer), "x\r\n" * 999 + "xy"
    answer = sit_down("staff").post(at(order, "note"), {"text": text}, follow=True)
    assert messages(answer) == ["The note was added"]
    assert OrderNote.objects.get(order_id=order).text == text.replace("\r\n", "\n")


@pytest.mark.parametrize("form", ["change", "status", "note", "mail"])
def test_an_order_that_is_not_there_is_a_page_that_is_not_there(sit_down, form):
    desk, send = sit_down("staff"), {"status": "shipped", "text": "x", "kind": "order-placed"}
    answer = desk.get(at("nothing")) if form == "change" else desk.post(at("nothing", form), send)
    assert answer.status_code == 404


@pytest.mark.parametrize("form", ["status", "note", "mail"])
def test_a_form_is_sent_by_post_with_its_token_or_not_at_all(sit_down, customer, place, form):
    desk, order = sit_down("staff"), place(customer)
    assert desk.get(at(order, form))["Location"] == at(order)
    assert desk.put(at(order, form)).status_code == 405
    desk.handler.enforce_csrf_checks = True
    assert desk.post(at(order, form), {"status": "cancelled", "text": "x", "kind": "order-placed"}).status_code == 403
    assert Order.objects.get(pk=order).status == "pending"
