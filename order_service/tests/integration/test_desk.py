"""What staff see in a browser: the admin pages and the browsable API."""

import re
import secrets

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from libs.values.times import now
from order_service.store.models import CatalogueProduct, Order, Outbox, OutboxDead
from order_service.tests.integration.bulk import Report, confirm

pytestmark = pytest.mark.django_db

ORDERS = "/admin/orders/order/"


def page(browser, path, status=200):
    answer = browser.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (status, "text/html; charset=utf-8"), answer.content
    return answer.content.decode()


def listed(desk, query=""):
    return re.findall(r'name="_selected_action" value="(\w+)"', page(desk, ORDERS + query))


def test_the_admin_pages_ask_to_sign_in_and_their_styles_need_no_other_host():
    html = page(Client(headers={"accept": "text/html"}), "/admin/login/")
    assert "<form" in html
    styles = re.findall(r'href="(/static/[^"]+\.css)"', html)
    assert styles
    for style in styles:
        answer = Client().get(style)
        assert (answer.status_code, bool(answer.getvalue())) == (200, True)
        answer.close()
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', html)


def test_orders_are_found_by_id_address_name_status_and_day(desk, customer, place):
    order, cancelled = place(customer), place(customer)
    customer.send(f"/orders/{cancelled}/cancel", {})
    row = Order.objects.get(pk=order)
    assert listed(desk) == [cancelled, order]
    assert listed(desk, f"?q={order[:20]}") == [order]
    for query in (f"?q={order}", f"?q={row.user_email}&status__exact=pending"):
        assert listed(desk, query) == [order]
    assert listed(desk, f"?q={row.username}") == [cancelled, order]
    assert listed(desk, f"?placed={row.created_at:%Y-%m-%d}") == [cancelled, order]
    assert listed(desk, "?placed=2026-01-01") == []


def test_an_order_is_shown_with_lines_and_changes_and_nothing_to_edit(desk, customer, staff, sell, place):
    order = place(customer, sell(name="Brass lamp"))
    staff.send(f"/orders/{order}/cancel", {})
    html = page(desk, f"{ORDERS}{order}/change/")
    assert "Brass lamp" in html
    assert f"staff:{staff.user_id}" in html
    assert not re.findall(r'<input type="(?:text|submit|number)', html[html.index('id="content"') :])


def test_actions_go_through_the_use_case(desk, customer, place_confirmed):
    orders = [place_confirmed(customer), place_confirmed(customer)]
    assert confirm(desk, ORDERS, "make_shipped", orders[0]) == Report("success", "1 of 1 order was shipped.")
    report = confirm(desk, ORDERS, "make_shipped", *orders)
    assert (report.level, report.head) == ("warning", "1 of 2 orders was shipped. 1 was left unchanged.")
    assert confirm(desk, ORDERS, "make_delivered", orders[0]).level == "success"
    assert confirm(desk, ORDERS, "make_cancelled", *orders).level == "error"
    assert {row.status for row in Order.objects.filter(pk__in=orders)} == {"delivered", "shipped"}
    assert Outbox.objects.filter(aggregate_id=orders[0]).count() == 4
    assert Order.objects.get(pk=orders[0]).changes.last().actor.startswith("staff:")


def test_nothing_is_added_or_deleted_at_the_desk(desk, customer, place):
    order = place(customer)
    for path in (f"{ORDERS}add/", f"{ORDERS}{order}/delete/", "/admin/orders/outbox/add/"):
        assert desk.get(path).status_code == 403
    assert "delete_selected" not in page(desk, ORDERS)
    assert desk.post(f"{ORDERS}{order}/change/", {"status": "delivered", "total": "0.01"}).status_code == 405
    assert Order.objects.get(pk=order).status == "pending"


def test_the_lists_of_events_are_read_only(desk, customer, place, sell):
    product, order = sell(), place(customer)
    row = Outbox.objects.get(aggregate_id=order)
    columns = {
        field: getattr(row, field) for field in ("event_id", "topic", "aggregate_id", "sequence", "payload", "headers")
    }
    dead = OutboxDead.objects.create(**columns, created_at=now(), reason="MSG_SIZE_TOO_LARGE", died_at=now())
    for name, key in (("catalogueproduct", product), ("outbox", row.pk), ("outboxdead", dead.pk)):
        html = page(desk, f"/admin/orders/{name}/{key}/change/")
        assert not re.findall(r'<input type="(?:text|submit)', html[html.index('id="content"') :])
        assert str(key) in page(desk, f"/admin/orders/{name}/")
    assert CatalogueProduct.objects.filter(pk=product).exists()


def test_no_page_has_an_inline_script_or_style_or_asks_for_a_policy_of_its_own(desk, customer, place):
    order = place(customer)
    names = ("order", "catalogueproduct", "outbox", "outboxdead")
    paths = [f"/admin/orders/{name}/" for name in names] + [f"{ORDERS}{order}/change/", f"{ORDERS}export/"]
    for path in ("/admin/", "/admin/auth/user/", "/admin/axes/accessattempt/", *paths):
        answer = desk.get(path)
        html = answer.content.decode()
        assert "Content-Security-Policy" not in answer  # the web process adds that of all pages
        assert not re.findall(r"<style|<script(?![^>]* src=)|\sstyle=|\son\w+=", html), path
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', html), path


def test_staff_without_the_permission_to_change_orders_only_look(customer, place):
    order, name = place(customer), f"{secrets.token_hex(6)}@example.com"
    user = get_user_model().objects.create_user(name, name, secrets.token_urlsafe(12), is_staff=True)
    browser = Client()
    browser.force_login(user)
    path = f"/orders/{order}/status"
    assert browser.get("/orders", headers={"accept": "application/json"}).status_code == 200
    assert browser.put(path, {"status": "cancelled"}, "application/json").status_code == 403


def test_a_session_changes_nothing_without_the_forms_token(desk, customer, place):
    order = place(customer)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = desk.cookies
    accept = {"accept": "application/json"}
    answer = strict.put(f"/orders/{order}/status", {"status": "confirmed"}, "application/json", headers=accept)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    answer = strict.post("/admin/login/", {}, headers=accept)
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")


def test_accounts_of_the_desk_have_argon2id_hashes():
    user = get_user_model().objects.create_user("x", "x@example.com", "a long enough password")
    assert user.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert user.check_password("a long enough password")
