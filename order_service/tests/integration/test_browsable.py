"""The pages of the browsable API: what a browser is shown at the addresses of the JSON API."""

import html
import re
import secrets

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

pytestmark = pytest.mark.django_db

HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ROW = re.compile(r'<td><a class="id" href="/orders/(\w+)">')


def page(browser, path, status=200):
    answer = browser.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (status, "text/html; charset=utf-8"), answer.content
    return html.unescape(answer.content.decode())


def listed(browser, query=""):
    return ROW.findall(page(browser, f"/orders{query}"))


@pytest.fixture
def anonymous():
    return Client(headers={"accept": HTML})


@pytest.fixture
def viewer():
    """A browser of somebody who may look."""
    name = f"{secrets.token_hex(6)}@example.com"
    user = get_user_model().objects.create_user(name, name, secrets.token_urlsafe(12), is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_order"))
    browser = Client(headers={"accept": HTML})
    browser.force_login(user)
    return browser


def test_the_list_leads_to_each_order_and_back(desk, customer, place):
    orders = [place(customer), place(customer)]
    assert listed(desk) == orders[::-1]
    shown = page(desk, f"/orders/{orders[0]}")
    assert '<li><a href="/orders">Orders</a></li>' in shown
    assert f'aria-current="page" class="id">{orders[0]}</li>' in shown
    assert f"/admin/orders/order/{orders[0]}/change/" in shown


def test_an_order_is_shown_with_items_address_and_status_and_as_json(desk, customer, sell):
    body = {"productId": sell("7.25", name="Brass <lamp>"), "quantity": 2}
    body |= {
        "shippingAddress": {
            "name": "Ann & Co",
            "line1": "Road 1",
            "city": "Oslo",
            "postalCode": "0150",
            "country": "NO",
        }
    }
    order = customer.send("/orders", body).json()["orderId"]
    raw = desk.get(f"/orders/{order}").content.decode()
    assert "Brass &lt;lamp&gt;" in raw
    assert "<lamp>" not in raw
    shown = html.unescape(raw)
    assert '<span class="badge pending">pending</span>' in shown
    for text in ("14.50 USD", "Ann & Co", "0150 Oslo", '"lineTotal": "14.50"'):
        assert text in shown


def test_the_pages_need_no_script_no_inline_style_and_no_other_host(desk, customer, place, anonymous):
    paths = ("/orders", f"/orders/{place(customer)}", "/orders/none", "/orders?limit=0", "/no/such")
    for shown in [browser.get(path).content.decode() for path in paths for browser in (desk, anonymous)]:
        assert not re.findall(r"<script|<style|style=|\son\w+=", shown)
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', shown.replace("http://testserver", ""))
        assert 'name="viewport"' in shown
    for name in ("pages.css", "icon.svg"):
        answer = desk.get(f"/static/api/{name}")
        assert (answer.status_code, bool(answer.getvalue())) == (200, True)
        answer.close()


def test_a_browser_without_a_login_is_shown_where_to_sign_in(anonymous, customer, place):
    for path in ("/orders", f"/orders/{place(customer)}"):
        assert f"/admin/login/?next={path}" in page(anonymous, path, 401)


def test_an_account_without_a_role_is_refused(anonymous):
    name = secrets.token_hex(6)
    anonymous.force_login(get_user_model().objects.create_user(name, "", secrets.token_urlsafe(12)))
    shown = page(anonymous, "/orders?status=pending", 403)
    assert "Your account may not do this" in shown
    assert "with an account that may" in shown
    assert '<form class="filters"' not in shown


def test_a_viewer_sees_all_and_no_form_to_change_anything(viewer, customer, place_confirmed):
    order = place_confirmed(customer)
    assert listed(viewer, "?search=" + order) == [order]
    assert f"/orders/{order}/" not in page(viewer, f"/orders/{order}").replace(f"/admin/orders/order/{order}/", "")
    answer = viewer.put(f"/orders/{order}/status", {"status": "shipped"}, "application/json")
    assert (answer.status_code, answer["Content-Type"]) == (403, "text/html; charset=utf-8")


def test_a_session_may_not_order_and_is_offered_no_form(desk):
    assert 'method="post" action="/orders"' not in page(desk, "/orders")
    assert desk.post("/orders", {"productId": "x", "quantity": 1}).status_code == 403
    answer = desk.post(
        "/orders", {"productId": "x", "quantity": 1}, "application/json", headers={"accept": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")


def test_a_customer_with_a_token_gets_json_and_a_page_on_demand(customer, place):
    order = place(customer)
    assert customer.get("/orders")["Content-Type"] == "application/json"
    answer = customer.get("/orders", headers={"accept": HTML})
    assert ROW.findall(answer.content.decode()) == [order]
    assert 'name="search"' not in answer.content.decode()


def test_errors_stay_in_the_shops_look(desk, anonymous):
    shown = [page(desk, "/no/such/page", 404), page(anonymous, "/no/such/page", 404), page(desk, "/orders/none", 404)]
    for text, title in zip(shown, ["Not Found", "Not Found", "There is no such order"], strict=True):
        assert title in text
        assert "/static/api/pages.css" in text


def test_the_list_takes_as_many_queries_however_long_it_is(desk, customer, place, django_assert_num_queries):
    for count in (1, 3):
        place(customer)
        if count == 3:
            place(customer)
        with django_assert_num_queries(6):  # session, account, the orders, three to keep the session alive
            assert len(listed(desk)) == count
