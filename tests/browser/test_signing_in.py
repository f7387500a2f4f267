"""Staff come to the desk."""

from __future__ import annotations

from dataclasses import replace

from playwright.sync_api import Page, expect

from tests.browser.desk import sign_in
from tests.e2e.conftest import Town


def test_a_wrong_password_is_refused_in_words_and_the_right_one_opens_the_desk(page: Page, town: Town) -> None:
    grace = town.colleague()
    sign_in(page, replace(grace, password="Wrong-horse"))
    expect(page.get_by_text("Please enter the correct")).to_be_visible()
    expect(page.get_by_label("E-mail address")).to_have_value(grace.email)
    expect(page.get_by_label("Code")).to_be_visible()
    sign_in(page, grace)
    expect(page).to_have_url(town.shop.url("order", "/admin/"))
    expect(page.get_by_label("Password")).to_have_count(0)


def test_a_customer_is_not_let_in(page: Page, town: Town) -> None:
    sign_in(page, town.customer())
    expect(page.get_by_text("Please enter the correct")).to_be_visible()


def test_one_sign_in_opens_the_desk_and_the_browsable_api(page: Page, town: Town) -> None:
    grace = town.colleague()
    order = town.customer().order(town.product(grace))
    sign_in(page, grace, "/admin/orders/order/")
    expect(page.get_by_role("link", name=order["id"])).to_be_visible()
    page.goto(town.shop.url("order", "/orders"))
    page.get_by_role("link", name=order["id"]).click()
    expect(page.get_by_role("heading", name=order["id"])).to_be_visible()
