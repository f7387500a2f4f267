"""The browsable API: its forms work, and its refusals are pages."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.desk import sign_in
from tests.browser.watch import Watch, assert_for_everybody
from tests.e2e.conftest import Town, wait_for


def test_orders_are_filtered_and_one_is_moved_on(page: Page, town: Town) -> None:
    ada, grace = town.customer(), town.colleague()
    order = ada.order(town.product(grace))
    wait_for(lambda: ada.status_of(order) == "confirmed", "confirmed")
    sign_in(page, grace, "/orders")
    page.get_by_label("Search").fill(ada.email)
    page.get_by_label("Status").select_option("confirmed")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name=order["id"]).click()
    page.get_by_label("Next status").select_option("shipped")
    page.get_by_role("button", name="Change").click()
    wait_for(lambda: ada.status_of(order) == "shipped", "shipped")
    town.mail(ada, "is on its way")


def test_a_change_that_came_too_late_is_refused_on_the_page(page: Page, watch: Watch, town: Town) -> None:
    ada, grace = town.customer(), town.colleague()
    order = ada.order(town.product(grace))
    wait_for(lambda: ada.status_of(order) == "confirmed", "confirmed")
    sign_in(page, grace, f"/orders/{order['id']}")
    assert ada.call("order", "POST", f"/orders/{order['id']}/cancel").status == 200
    page.get_by_label("Next status").select_option("shipped")
    with watch.expecting("status of 409"):
        page.get_by_role("button", name="Change").click()
        expect(page.get_by_role("heading", name=order["id"])).to_be_visible()
    assert ada.status_of(order) == "cancelled"


def test_a_visitor_without_a_login_is_led_to_the_sign_in(page: Page, watch: Watch, town: Town) -> None:
    with watch.expecting("status of 401"):
        page.goto(town.shop.url("order", "/orders"))
    page.get_by_role("link", name="Sign in").first.click()
    expect(page.get_by_label("E-mail address")).to_be_visible()


def test_the_browsable_api_is_for_everybody(page: Page, town: Town) -> None:
    grace = town.colleague()
    order = town.customer().order(town.product(grace, name="Unbroken" * 25))
    sign_in(page, grace, "/orders")
    for path in (f"/orders?search={order['id']}", f"/orders/{order['id']}"):
        assert_for_everybody(page, town.shop.url("order", path))
