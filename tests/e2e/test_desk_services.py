"""The desk's pages over other services: stock, accounts, and tokens that expire during a session."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import jwt
import MySQLdb
import pytest
from django.contrib.sessions.serializers import JSONSerializer
from django.core import signing
from pydantic import SecretStr

from deploy.local.ports import LOOPBACK
from libs.access.encryption import Encryption
from libs.access.tokens import ALGORITHM
from tests.e2e.conftest import Town, wait_for
from tests.e2e.test_desk import Browser, make_staff
from tests.shop import Shop

PRODUCTS, USERS = "/admin/products/", "/admin/users/"
SALT = "django.contrib.sessions.SessionStore"


@pytest.fixture
def desk(town: Town) -> Iterator[Browser]:
    """The browser of somebody new with role staff."""
    ada, _ = make_staff(town)
    with Browser(town) as browser:
        browser.sign_in(ada)
        yield browser


@pytest.fixture
def show(town: Town, desk: Browser) -> Callable[[str], str]:
    """`show("/admin/products/")`: the page at the desk, as text."""

    def read(path: str) -> str:
        answer = desk.get(town.shop.url("order", path), timeout=15)
        assert answer.status_code == 200, answer.text
        return text_of(answer.text)

    return read


@pytest.fixture
def send(town: Town, desk: Browser) -> Callable[..., str]:
    """`send("/admin/products/…/", delta="1")`: the page that comes after a form, as text."""

    def post(path: str, **form: str) -> str:
        fields = form | {"csrfmiddlewaretoken": desk.cookies["csrftoken"]}
        return text_of(desk.post(town.shop.url("order", path), fields, timeout=15).text)

    return post


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def test_stock_that_is_adjusted_at_the_desk_is_the_stock_of_product_service(
    town: Town, show: Callable[[str], str], send: Callable[..., str]
) -> None:
    lamp = town.product(town.staff(), stock=12)
    page = f"{PRODUCTS}{lamp['id']}/"
    assert lamp["name"] in show(f"{PRODUCTS}?search={lamp['name'].replace(' ', '+')}")
    assert "the stock is 7 now" in send(page, delta="-5", reason="broken")
    assert town.staff().call("product", "GET", f"/products/{lamp['id']}").json["stock"] == 7
    assert "The stock would leave its range" in send(page, delta="-8", reason="broken")
    assert "7 left" in show(f"{PRODUCTS}?maxStock=10&sort=stock&search={lamp['name'].replace(' ', '+')}")


def test_a_customer_who_is_disabled_at_the_desk_is_shut_out(
    town: Town, show: Callable[[str], str], send: Callable[..., str]
) -> None:
    bob = town.customer()
    user_id = bob.call("user", "GET", "/users/me").json["id"]
    page = f"{USERS}{user_id}/"
    assert bob.email in show(f"{USERS}?search={bob.email}")
    assert "Yes, disable it" in show(f"{page}?change=disable")
    assert bob.call("order", "GET", "/orders").status == 200
    assert f"{bob.username} is disabled" in send(page, change="disable")
    wait_for(lambda: bob.call("order", "GET", "/orders").status == 401, "out")
    assert f"{bob.username} is enabled" in send(page, change="enable")
    bob.log_in()
    assert bob.call("order", "GET", "/orders").status == 200


def test_staff_can_not_disable_other_staff_and_the_page_says_so(town: Town, send: Callable[..., str]) -> None:
    boss = town.staff()
    user_id = boss.call("user", "GET", "/users/me").json["id"]
    assert "Your account may not do this" in send(f"{USERS}{user_id}/", change="disable")
    assert boss.call("user", "GET", "/users/me").json["active"]


def test_tokens_that_end_are_renewed_also_by_two_pages_at_once(town: Town, desk: Browser) -> None:
    tokens = KeptTokens(town.shop, desk)
    for _ in range(3):
        tokens.expire()
        before = tokens.read()
        assert town.shop.call("product", "GET", "/products", token=before["access"]).status == 401
        with ThreadPoolExecutor(2) as pool:
            looks = [pool.submit(desk.get, town.shop.url("order", PRODUCTS), timeout=15) for _ in range(2)]
        for look in looks:
            assert look.result().url.endswith(PRODUCTS)
            assert "does not respond" not in look.result().text
        after = tokens.read()
        assert after["access"] != before["access"]
        assert after["refresh"] != before["refresh"]
    assert desk.is_in()


class KeptTokens:
    """The tokens of a session at the desk, in order_service's database."""

    def __init__(self, shop: Shop, desk: Browser) -> None:
        self._shop, self._encryption = shop, Encryption(SecretStr(shop.env["ENCRYPTION_KEY"]))
        self._key = self._key_of(desk.cookies["sessionid"])

    def read(self) -> dict[str, str]:
        access, refresh = self._run("SELECT access, refresh FROM desk_tokens WHERE `key` = %s", self._key)[0]
        return {"access": self._encryption.decrypt(access), "refresh": self._encryption.decrypt(refresh)}

    def expire(self) -> None:
        """Replace the access token by one that expired a minute ago."""
        claims = jwt.decode(self.read()["access"], options={"verify_signature": False})
        old = claims | {"iat": claims["iat"] - 1000, "exp": int(time.time()) - 60}
        access = jwt.encode(old, self._shop.env["JWT_SECRET"], algorithm=ALGORITHM)
        encrypted = self._encryption.encrypt(access)
        self._run("UPDATE desk_tokens SET access = %s WHERE `key` = %s", encrypted, self._key)

    def _key_of(self, cookie: str) -> str:
        """The key that the session with this cookie holds."""
        data = self._run("SELECT session_data FROM django_session WHERE session_key = %s", cookie)[0][0]
        session = signing.loads(data, key=self._shop.env["DJANGO_SECRET_KEY"], salt=SALT, serializer=JSONSerializer)
        return str(session["desk"]["tokens"])

    def _run(self, sql: str, *values: str) -> Any:
        env = self._shop.env
        place = {"host": LOOPBACK, "port": int(env["MYSQL_PORT"]), "db": env["MYSQL_DATABASE"], "autocommit": True}
        login = {"user": env["MYSQL_USER"], "password": env["MYSQL_PASSWORD"]}
        with closing(MySQLdb.connect(**place, **login)) as connection, connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()


@contextmanager
def frozen(shop: Shop, name: str) -> Iterator[None]:
    """A process and its children stand still."""
    group = shop.pid(name)
    assert os.getpgid(group) == group
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


def test_the_page_says_that_a_catalogue_hangs_and_orders_go_on(town: Town, show: Callable[[str], str]) -> None:
    bob = town.customer()
    lamp = town.product(town.staff())
    bob.order(lamp)
    with frozen(town.shop, "product-web"), ThreadPoolExecutor(4) as pool:
        looks = [pool.submit(show, PRODUCTS) for _ in range(4)]
        while not all(look.done() for look in looks):
            bob.order(lamp)
        assert all("The catalogue does not respond." in look.result() for look in looks)
    wait_for(lambda: lamp["name"] in show(f"{PRODUCTS}?search={lamp['name'].replace(' ', '+')}"), "the catalogue")
