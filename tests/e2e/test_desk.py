"""Staff at the desk, with their one account; and what is left of a customer who leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyotp
import pytest
import requests

from tests.e2e.conftest import Person, Town, wait_for


class Browser(requests.Session):
    """A browser at the desk."""

    def __init__(self, town: Town) -> None:
        super().__init__()
        self.trust_env, self._town = False, town
        self.headers["Accept"] = "text/html"

    def sign_in(self, person: Person, code: str = "") -> str:
        """The page that comes after the form."""
        page = self._town.shop.url("order", "/admin/login/")
        self.get(page, timeout=10)
        form = {"username": person.email, "password": person.password, "code": code}
        return self.post(page, form | {"csrfmiddlewaretoken": self.cookies["csrftoken"]}, timeout=10).text

    def is_in(self) -> bool:
        """Whether the admin pages let it in."""
        url = self._town.shop.url("order", "/admin/")
        return self.get(url, timeout=10, allow_redirects=False).status_code == 200


@pytest.fixture
def browser(town: Town) -> Iterator[Browser]:
    with Browser(town) as browser:
        yield browser


def make_staff(town: Town) -> tuple[Person, str]:
    """Somebody new with role staff, and the account's id."""
    person = town.customer()
    user_id = person.call("user", "GET", "/users/me").json["id"]
    assert town.staff().call("user", "PATCH", f"/users/{user_id}", {"roles": ["staff"]}).status == 200
    return person, user_id


def verify(town: Town, person: Person) -> None:
    """Verify the person's address by the link in the mail."""
    token = re.findall(r"token=([\w-]+)", town.mail(person, "Verify your e-mail address").text)[0]
    assert person.call("user", "POST", "/verify-email", {"token": token}).status == 204


def test_staff_sign_in_to_the_desk_and_a_disabled_account_is_signed_out(town: Town, browser: Browser) -> None:
    ada, user_id = make_staff(town)
    browser.sign_in(ada)
    assert browser.is_in()
    orders = browser.get(town.shop.url("order", "/orders"), timeout=10)
    assert (orders.status_code, ada.username in orders.text) == (200, True)
    assert town.staff().call("user", "PATCH", f"/users/{user_id}", {"active": False}).status == 200
    wait_for(lambda: not browser.is_in(), "out")
    assert "errornote" in browser.sign_in(ada)
    assert not browser.is_in()


def test_a_customer_has_no_place_at_the_desk(town: Town, browser: Browser) -> None:
    assert "errornote" in browser.sign_in(town.customer())
    assert not browser.is_in()


def test_an_account_with_an_authenticator_needs_its_code_at_the_desk_too(town: Town, browser: Browser) -> None:
    ada, _ = make_staff(town)
    verify(town, ada)
    ada.log_in()
    secret = ada.call("user", "POST", "/users/me/totp", {"password": ada.password}).json["secret"]
    code = pyotp.TOTP(secret).now()
    recovery = ada.call("user", "POST", "/users/me/totp/confirm", {"code": code}).json["recoveryCodes"]
    assert "authenticator" in browser.sign_in(ada)
    assert not browser.is_in()
    browser.sign_in(ada, "000000")
    assert not browser.is_in()
    browser.sign_in(ada, recovery[0])
    assert browser.is_in()


def test_signing_out_at_the_desk_ends_the_login(town: Town, browser: Browser) -> None:
    ada, _ = make_staff(town)
    browser.sign_in(ada)
    ada.log_in()
    logins = lambda: len(ada.call("user", "GET", "/users/me/sessions").json["results"])  # noqa: E731
    before = logins()
    form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    browser.post(town.shop.url("order", "/admin/logout/"), form, timeout=10)
    assert logins() == before - 1


def test_of_a_customer_who_leaves_the_orders_stay_without_a_name(town: Town) -> None:
    ada, staff = town.customer(), town.staff()
    order = ada.order(town.product(staff))
    find = lambda text: staff.call("order", "GET", f"/orders?search={text}").json["results"]  # noqa: E731
    assert [found["id"] for found in find(ada.email)] == [order["id"]]
    assert ada.call("user", "POST", "/users/me/delete", {"password": ada.password}).status == 204
    wait_for(lambda: not find(ada.email) and not find(ada.username), "forgotten")
    assert staff.call("order", "GET", f"/orders/{order['id']}").json["id"] == order["id"]
