"""Actions on many orders: they ask first, change what was confirmed, and report once."""

import re

import pytest

from order_service.store.models import Order, Outbox
from order_service.tests.integration.bulk import MESSAGE, ask, confirm, fields, send

pytestmark = pytest.mark.django_db

ORDERS = "/admin/orders/order/"


def statuses():
    return {row.pk: row.status for row in Order.objects.all()}


@pytest.mark.parametrize("action", ["make_shipped", "make_delivered", "make_cancelled"])
def test_an_action_asks_first_with_the_number_of_orders_and_changes_nothing(sit_down, customer, place, action):
    orders = [place(customer), place(customer)]
    answer = ask(sit_down("staff"), ORDERS, action, *orders)
    html = answer.content.decode()
    assert f"{answer.context['bulk'].verb} 2 orders?" in html
    assert all(order in html for order in orders)
    assert "mail" in html[html.index("desk-ask") :]
    assert set(statuses().values()) == {"pending"}


def test_one_message_sums_up_what_was_changed_and_what_was_refused(sit_down, customer, place, place_confirmed):
    shipped, pending = place_confirmed(customer), place(customer)
    report = confirm(sit_down("staff"), ORDERS, "make_shipped", shipped, pending)
    assert report.level == "warning"
    assert report.head == "1 of 2 orders was shipped. 1 was refused, and nothing was changed there."
    assert report.rows == (f"Order {pending}: A pending order can&#x27;t become shipped", f"Order {shipped}")
    assert statuses() == {shipped: "shipped", pending: "pending"}


def test_a_form_that_is_sent_twice_changes_and_mails_once(sit_down, customer, place):
    desk, orders = sit_down("staff"), [place(customer), place(customer)]
    form = fields(ask(desk, ORDERS, "make_cancelled", *orders))
    assert send(desk, ORDERS, form).head == "2 of 2 orders were cancelled."
    again = send(desk, ORDERS, form)
    assert again.head == "2 of 2 orders were cancelled."  # the first answer
    later = send(desk, ORDERS, form | {"key": ["another"]})
    assert (later.level, later.head) == ("warning", "0 of 2 orders were cancelled. 2 were left unchanged.")
    assert all("it was cancelled before" in row for row in later.rows)
    assert Outbox.objects.filter(topic="order-cancelled").count() == 2


def test_what_was_confirmed_is_changed_whatever_the_list_shows_by_then(sit_down, customer, place):
    desk, order = sit_down("staff"), place(customer)
    listed = f"{ORDERS}?status__exact=pending"
    form = fields(ask(desk, listed, "make_cancelled", order))
    later = place(customer)
    assert send(desk, listed, form).head == "1 of 1 order was cancelled."
    assert statuses() == {order: "cancelled", later: "pending"}


def test_a_selection_may_cover_all_matches_of_a_filter(sit_down, customer, place, place_confirmed, monkeypatch):
    monkeypatch.setattr("order_service.desk.orders.order_list.OrderAdmin.list_per_page", 1)
    pending, other = [place(customer), place(customer)], place_confirmed(customer)
    desk, listed = sit_down("staff"), f"{ORDERS}?status__exact=pending"
    assert "Select all 2 orders" in desk.get(listed).content.decode()
    report = confirm(desk, listed, "make_cancelled", pending[0], select_across="1")
    assert report.head == "2 of 2 orders were cancelled."
    assert statuses() == dict.fromkeys(pending, "cancelled") | {other: "confirmed"}


@pytest.fixture
def small_steps(monkeypatch):
    """Two rows a step, one row a page."""
    monkeypatch.setattr("order_service.desk.model_admin.MAX_SELECTED", 2)
    monkeypatch.setattr("order_service.desk.orders.order_list.OrderAdmin.list_per_page", 1)


def run_to_its_end(desk, path, form):
    """Send the pages of a run until there is a message: the titles of the pages, and the message."""
    titles = []
    while "desk-ask" in (answer := desk.post(path, form, follow=True)).content.decode():
        titles.append(answer.context["title"])
        form = fields(answer)
    [(level, message)] = MESSAGE.findall(answer.content.decode())
    return titles, level, re.sub(r"<[^>]*>", " ", message).split()


def test_an_action_covers_all_matches_in_steps_and_reports_once(
    sit_down, customer, place, place_confirmed, small_steps
):
    refused, orders, desk = place_confirmed(customer), [place(customer) for _ in range(5)], sit_down("staff")
    customer.send(f"/orders/{refused}/cancel", {})
    other = place_confirmed(customer)
    listed = f"{ORDERS}?user_id={customer.user_id}"
    Order.objects.filter(pk=other).update(user_id="another")
    assert "Select all 6 orders" in desk.get(listed).content.decode()
    asked = ask(desk, listed, "make_cancelled", orders[0], select_across="1")
    assert asked.context["title"] == "Cancel 6 orders?"
    assert set(statuses().values()) == {"pending", "cancelled", "confirmed"}
    later = place(customer)
    titles, level, words = run_to_its_end(desk, listed, fields(asked))
    assert titles == ["2 of 6 orders are done", "4 of 6 orders are done", "6 of 6 orders are done"]
    assert (level, " ".join(words)) == ("warning", "5 of 6 orders were cancelled. 1 was left unchanged.")
    expected = dict.fromkeys((*orders, refused), "cancelled")
    assert statuses() == expected | {other: "confirmed", later: "pending"}
    assert Outbox.objects.filter(topic="order-cancelled").count() == 6


def test_a_run_goes_on_although_its_rows_leave_the_list(sit_down, customer, place, small_steps):
    orders, desk = [place(customer) for _ in range(5)], sit_down("staff")
    listed = f"{ORDERS}?status__exact=pending"
    form = fields(ask(desk, listed, "make_cancelled", orders[0], select_across="1"))
    _, level, words = run_to_its_end(desk, listed, form)
    assert (level, " ".join(words)) == ("success", "5 of 5 orders were cancelled.")
    assert set(statuses().values()) == {"cancelled"}


def test_the_refusals_of_a_run_are_listed_up_to_a_bound(sit_down, customer, place, small_steps, monkeypatch):
    monkeypatch.setattr("order_service.desk.bulk_runs.MAX_REFUSALS", 2)
    orders, desk = [place(customer) for _ in range(5)], sit_down("staff")
    form = fields(ask(desk, ORDERS, "make_shipped", orders[0], select_across="1"))
    _, level, words = run_to_its_end(desk, ORDERS, form)
    text = " ".join(words)
    assert level == "error"
    assert text.startswith("0 of 5 orders were shipped. 5 were refused, and nothing was changed there.")
    assert text.count("can&#x27;t become shipped") == 2
    assert text.endswith("and 3 more")


def test_a_run_that_was_made_up_changes_nothing(sit_down, customer, place, small_steps):
    orders, desk = [place(customer) for _ in range(3)], sit_down("staff")
    form = fields(ask(desk, ORDERS, "make_shipped", orders[0], select_across="1"))
    for changes in ({"run": ["made up"]}, {"action": ["make_cancelled"]}):  # the signature is good for one action
        answer = desk.post(ORDERS, form | changes, follow=True)
        assert "Nothing was changed" in answer.content.decode()
    assert set(statuses().values()) == {"pending"}


def test_a_form_with_more_rows_than_an_action_may_change_changes_no_more(sit_down, customer, place, monkeypatch):
    monkeypatch.setattr("order_service.desk.model_admin.MAX_SELECTED", 1)
    desk, orders = sit_down("staff"), [place(customer), place(customer)]
    form = fields(ask(desk, ORDERS, "make_cancelled", orders[0]))
    send(desk, ORDERS, form | {"_selected_action": orders})
    assert statuses() == {orders[0]: "cancelled", orders[1]: "pending"}


def test_rows_that_have_left_the_list_are_named_as_such(sit_down, customer, place):
    desk, order = sit_down("staff"), place(customer)
    answer = desk.post(
        f"{ORDERS}?status__exact=shipped",
        {"action": "make_cancelled", "index": "0", "_selected_action": order},
        follow=True,
    )
    assert "None of the selected orders is in the list any more" in answer.content.decode()
    form = fields(ask(desk, ORDERS, "make_cancelled", order)) | {"_selected_action": ["nothing"]}
    report = send(desk, ORDERS, form)
    assert (report.level, len(report.rows)) == ("error", 1)


def test_the_form_needs_its_token_and_the_role(sit_down, customer, place):
    desk, order = sit_down("staff"), place(customer)
    form = fields(ask(desk, ORDERS, "make_cancelled", order))
    assert sit_down("viewer").post(ORDERS, form).status_code == 403
    desk.handler.enforce_csrf_checks = True
    del form["csrfmiddlewaretoken"]
    assert desk.post(ORDERS, form).status_code == 403
    assert statuses() == {order: "pending"}


def test_deleting_failed_sign_ins_asks_first_too(desk):
    from axes.models import AccessAttempt

    from libs.values.times import now

    columns = {"ip_address": "127.0.0.1", "user_agent": "x", "failures_since_start": 1, "attempt_time": now()}
    rows = [AccessAttempt.objects.create(username=f"u{n}@example.com", **columns).pk for n in range(2)]
    html = ask(desk, "/admin/axes/accessattempt/", "delete_selected", *rows).content.decode()
    assert "Access attempts: 2" in html
    assert AccessAttempt.objects.count() == 2


LISTS = ("orders/order", "orders/outboxdead", "auth/user", "auth/group", "axes/accessattempt")


@pytest.mark.parametrize("path", LISTS)
def test_no_list_has_an_action_that_does_not_ask(desk, path):
    asking = {"make_shipped", "make_delivered", "make_cancelled", "resend_selected", "delete_selected"}
    page = desk.get(f"/admin/{path}/")
    offered = {name for name, _ in page.context["cl"].model_admin.get_action_choices(page.wsgi_request) if name}
    assert offered <= asking
