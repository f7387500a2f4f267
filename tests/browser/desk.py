"""The desk as staff use it: by the names that its fields and buttons bear."""

from __future__ import annotations

from urllib.parse import quote

from playwright.sync_api import Page

from tests.e2e.conftest import Person


def sign_in(page: Page, person: Person, path: str = "/admin/") -> None:
    """Fill in the form that leads to `path`."""
    page.goto(person.shop.url("order", f"/admin/login/?next={quote(path)}"))
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()
