"""The desk as staff use it: by the names that its fields and buttons bear."""

from __future__ import annotations

from urllib.parse import quote

from playwright.sync_api import Page

from tests.e2e.conftest import Person
from tests.shop import Shop

ORDERS = "/admin/orders/order/"


def sign_in(page: Page, person: Person, path: str = "/admin/") -> None:
    """Fill in the form that leads to `path`."""
    page.goto(person.shop.url("order", f"/admin/login/?next={quote(path)}"))
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()


def open_order(page: Page, shop: Shop, order_id: str) -> None:
    """The page of an order."""
    page.goto(shop.url("order", f"{ORDERS}{order_id}/change/"))


def find_orders(page: Page, shop: Shop, text: str) -> None:
    """Search the list, as its field does."""
    page.goto(shop.url("order", ORDERS))
    field = page.get_by_role("search").get_by_role("textbox")
    field.fill(text)
    field.press("Enter")
    page.wait_for_url("**q=**")


def run_action(page: Page, title: str, *order_ids: str) -> None:
    """Tick orders in the list, do something with all of them, and say yes on the page that asks."""
    for order_id in order_ids:
        page.get_by_role("row", name=order_id).get_by_role("checkbox").check()
    page.get_by_role("combobox", name="action").select_option(label=title)
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name="Yes, ").click()
