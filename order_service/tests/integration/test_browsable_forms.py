"""The forms of an order's page: each is a call of the JSON API, by a session and with its CSRF token."""

import re
from urllib.parse import urlencode

import pytest
from django.test import Client

from order_service.store.models import Order
from order_service.tests.integration.test_browsable import page
from order_service.tests.integration.test_placing import problem

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


@pytest.fixture
def browser(desk):
    """One that checks the token, as the server does outside of tests."""
    strict = Client(enforce_csrf_checks=True, headers={"accept": "text/html"})
    strict.cookies = desk.cookies
    return strict


def send(browser, order, action, token=None, **fields):
    """Send a form of the order's page."""
    if token is None:
        token = TOKEN.search(page(browser, f"/orders/{order}"))[1]
    form = urlencode({"csrfmiddlewaretoken": token, **fields})
    return browser.post(f"/orders/{order}/{action}", form, FORM)


def test_the_next_statuses_are_offered_one_after_the_other(browser, customer, place_confirmed):
    order = place_confirmed(customer)
    for status, offered in (("shipped", ["shipped"]), ("delivered", ["delivered"])):
        assert re.findall(r"<option>(\w+)</option>", page(browser, f"/orders/{order}")) == offered
        answer = send(browser, order, "status", status=status)
        assert (answer.status_code, answer["Location"]) == (302, f"/orders/{order}")
        assert f"Order {order} is {status} now" in page(browser, f"/orders/{order}")
        assert Order.objects.get(pk=order).status == status
    assert 'method="post" action="/orders' not in page(browser, f"/orders/{order}")
    assert Order.objects.get(pk=order).changes.last().actor.startswith("staff:")


def test_an_order_is_cancelled_by_a_button_that_asks_first(browser, customer, place):
    order = place(customer)
    shown = page(browser, f"/orders/{order}")
    [asked] = re.findall(r"<details class=\"ask\">.*?</details>", shown, re.DOTALL)
    assert "Yes, cancel it" in asked
    assert "the customer gets a mail" in asked
    assert '<select name="status"' not in shown  # cancelling is all that can be done
    [(action, status)] = re.findall(r'action="(.*?)".*name="status" value="(\w+)"', asked, re.DOTALL)
    assert (action, status) == (f"/orders/{order}/status", "cancelled")
    token = TOKEN.search(asked)[1]
    assert [send(browser, order, "status", token, status="cancelled").status_code for _ in range(2)] == [302, 302]
    assert f"Order {order} is cancelled now" in page(browser, f"/orders/{order}")
    assert Order.objects.get(pk=order).status == "cancelled"


def test_a_form_of_an_older_page_cancels_too(browser, customer, place):
    order = place(customer)
    assert send(browser, order, "cancel").status_code == 302
    assert Order.objects.get(pk=order).status == "cancelled"


def test_the_slower_of_two_gets_a_message_and_sees_the_current_order(browser, staff, customer, place_confirmed):
    order = place_confirmed(customer)
    token = TOKEN.search(page(browser, f"/orders/{order}"))[1]
    staff.send(f"/orders/{order}/status", {"status": "shipped"}, "PUT")
    for action, fields in (("status", {"status": "cancelled"}), ("cancel", {})):
        answer = send(browser, order, action, token, **fields)
        shown = answer.content.decode()
        assert (answer.status_code, answer["Content-Type"]) == (409, "text/html; charset=utf-8")
        assert '<span class="badge shipped">shipped</span>' in shown
        assert "A shipped order can&#x27;t become" in shown
        assert ('id="status_error"' in shown) is (action == "status")
    assert Order.objects.get(pk=order).changes.count() == 3


@pytest.mark.parametrize("fields", [{}, {"status": "lost"}, {"status": "shipped", "total": "0.01"}])
def test_a_bad_form_leaves_the_page_and_says_why(browser, customer, place_confirmed, fields):
    order = place_confirmed(customer)
    answer = send(browser, order, "status", **fields)
    assert answer.status_code == 400
    assert 'id="status_error"' in answer.content.decode()
    assert Order.objects.get(pk=order).status == "confirmed"


def test_a_form_for_an_order_that_does_not_exist_is_a_page_too(browser, customer, place):
    token = TOKEN.search(page(browser, f"/orders/{place(customer)}"))[1]
    for fields, status in (({"status": "shipped"}, 404), ({"status": "lost"}, 400)):
        answer = send(browser, "none", "status", token, **fields)
        assert (answer.status_code, answer["Content-Type"]) == (status, "text/html; charset=utf-8")


@pytest.mark.parametrize("action", ["status", "cancel"])
def test_a_form_without_the_sessions_token_changes_nothing(browser, customer, place_confirmed, action):
    order = place_confirmed(customer)
    for token in ("", "x" * 64):
        answer = send(browser, order, action, token, status="shipped")
        assert (answer.status_code, answer["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert Order.objects.get(pk=order).status == "confirmed"


@pytest.mark.parametrize("action", ["status", "cancel"])
def test_clients_send_json_and_nothing_else(staff, desk, customer, place_confirmed, action):
    order = place_confirmed(customer)
    path, form = f"/orders/{order}/{action}", urlencode({"status": "shipped"})
    method = staff.put if action == "status" else staff.post
    problem(method(path, form, FORM), 415)
    problem(staff.post(path, form, "multipart/form-data; boundary=x"), 405 if action == "status" else 415)
    problem(Client(headers={"accept": "application/json"}).post(path, form, FORM), 401)
    assert desk.post(path, {"status": "shipped"}).status_code in (405, 415)  # multipart
    assert Order.objects.get(pk=order).status == "confirmed"


def test_json_from_a_session_holds_no_fields_of_a_form(desk, customer, place_confirmed):
    order = place_confirmed(customer)
    body = {"status": "shipped", "csrfmiddlewaretoken": "x"}
    answer = desk.put(f"/orders/{order}/status", body, "application/json", headers={"accept": "application/json"})
    assert [error["field"] for error in problem(answer, 400, "invalid")["errors"]] == ["csrfmiddlewaretoken"]
    json = {"accept": "application/json"}
    problem(desk.post(f"/orders/{order}/status", {"status": "shipped"}, "application/json", headers=json), 405)


def test_the_address_of_a_form_shows_the_order(desk, customer, place):
    order = place(customer)
    for action in ("status", "cancel"):
        assert '<span class="badge pending">' in page(desk, f"/orders/{order}/{action}", 405)


@pytest.mark.parametrize("action", ["status", "cancel"])
def test_a_form_of_an_ended_session_says_so_and_its_sign_in_leads_back_to_the_order(customer, place, action):
    order = place(customer)
    stranger = Client(headers={"accept": "text/html"})
    answer = stranger.post(f"/orders/{order}/{action}", urlencode({"status": "cancelled"}), FORM)
    shown = answer.content.decode()
    assert answer.status_code == 401
    assert "Nothing was changed." in shown
    assert set(re.findall(r'href="/admin/login/\?next=([^"]+)"', shown)) == {f"/orders/{order}"}
    assert Order.objects.get(pk=order).status == "pending"
