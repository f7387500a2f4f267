"""The service on a real MySQL or MariaDB: clients with tokens, a catalogue, orders."""

import json
import os
import secrets
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.test.client import ClientHandler

from libs.access.caller import ROLES
from libs.access.tokens import AccessTokens
from libs.runtime.config import load
from libs.values.times import now
from order_service.api.handler import ClientPath
from order_service.config import Config
from order_service.store.models import CatalogueProduct
from order_service.store.worker_tables import stored_revocations
from order_service.tests.integration.neighbours import Accounts, Mails, Products, serving
from order_service.tests.integration.stock import apply_stock_reply


@pytest.fixture(scope="session")
def config() -> Config:
    return load(Config, os.environ)


@pytest.fixture(scope="session")
def tokens(config: Config) -> AccessTokens:
    return AccessTokens(config.jwt_secret, config.jwt_issuer, config.jwt_audience)


@pytest.fixture(autouse=True)
def _revocations_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a second a request costs a query more: not in tests that count them. The time is that of the host then."""
    monkeypatch.setattr("order_service.api.authentication.revocations._read", None)


@pytest.fixture
def read_revocations(monkeypatch: pytest.MonkeyPatch, _revocations_are_not_read: None) -> None:
    """Each request reads them, and the database's time."""
    monkeypatch.setattr("order_service.api.authentication.revocations._read", stored_revocations.read)
    monkeypatch.setattr("libs.access.revocations.READ_SECONDS", 0)


class ClientsHandler(ClientPath, ClientHandler):
    """Django's handler of test clients, with our path for requests of clients."""


class Caller(Client):
    """A Django test client with a token, that speaks JSON."""

    def __init__(self, token: str | None = None, user_id: str = "", **defaults: Any) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        super().__init__(headers={"accept": "application/json", **headers}, **defaults)
        self.handler = ClientsHandler(enforce_csrf_checks=False)
        self.user_id = user_id

    def send(self, path: str, body: Any, method: str = "POST") -> Any:
        """A request with a JSON body."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.generic(method, path, data=raw, content_type="application/json")


@pytest.fixture
def anybody() -> Caller:
    return Caller()


@pytest.fixture
def make_caller(tokens: AccessTokens) -> Callable[..., Caller]:
    """`make_caller("staff")`: a new account with these roles. `claims`: of its token."""

    def make(*roles: str, **claims: Any) -> Caller:
        user_id = secrets.token_hex(12)
        name = f"u{user_id[:10]}"
        named = {"user_id": user_id, "email": f"{name}@example.com", "username": name, "roles": roles}
        token = tokens.mint(**named | claims)
        return Caller(token, claims.get("user_id", user_id))

    return make


@pytest.fixture
def customer(make_caller: Callable[..., Caller]) -> Caller:
    return make_caller()


@pytest.fixture
def staff(make_caller: Callable[..., Caller]) -> Caller:
    return make_caller("staff")


@pytest.fixture
def desk(db: None) -> Client:
    """A browser with a session of the desk."""
    name = f"{secrets.token_hex(6)}@example.com"
    browser = Client(headers={"accept": "text/html"})
    browser.force_login(get_user_model().objects.create_superuser(name, name, secrets.token_urlsafe(12)))
    return browser


@pytest.fixture
def accounts(tokens: AccessTokens, settings: Any) -> Iterator[Accounts]:
    """user_service, which a small server stands in for."""
    with serving(found := Accounts(tokens)) as settings.USER_SERVICE_URL:
        yield found


@pytest.fixture
def products(accounts: Accounts, settings: Any) -> Iterator[Products]:
    """product_service, likewise."""
    with serving(found := Products(accounts)) as settings.PRODUCT_SERVICE_URL:
        yield found


@pytest.fixture
def mails(accounts: Accounts, settings: Any) -> Iterator[Mails]:
    """notification_service, likewise."""
    with serving(found := Mails(accounts)) as settings.NOTIFICATION_SERVICE_URL:
        yield found


@pytest.fixture
def browser() -> Client:
    """A browser without a session."""
    return Client(headers={"accept": "text/html"})


@pytest.fixture
def sit_down(db: None) -> Callable[..., Client]:
    """`sit_down("staff")`: a browser with a session of this role and those before it."""

    def sign_in(role: str) -> Client:
        name = secrets.token_hex(12)
        columns = {"email": f"{name}@example.com", "first_name": f"{role} {name[:4]}", "is_staff": True}
        user = get_user_model().objects.create_user(name, **columns)
        user.groups.set(Group.objects.filter(name__in=ROLES[: ROLES.index(role) + 1]))
        browser = Client(headers={"accept": "text/html"})
        browser.force_login(user, "django.contrib.auth.backends.ModelBackend")
        return browser

    return sign_in


@pytest.fixture
def sell(db: None) -> Callable[..., str]:
    """`sell("1.10")`: the id of a product that the catalogue's replica knows."""

    def add(price: str = "19.90", product_id: str = "", **fields: Any) -> str:
        product_id = product_id or secrets.token_hex(12)
        columns = {"name": f"Lamp {product_id[:6]}", "currency": "USD", "active": True, "version": 3} | fields
        CatalogueProduct.objects.create(product_id=product_id, price=Decimal(price), updated_at=now(), **columns)
        return product_id

    return add


@pytest.fixture
def place(sell: Callable[..., str]) -> Callable[..., str]:
    """`place(customer)`: the id of a new order of one lamp."""

    def order(caller: Caller, product_id: str | None = None) -> str:
        answer = caller.send("/orders", {"productId": product_id or sell(), "quantity": 1})
        assert answer.status_code == 201, answer.content
        placed: str = answer.json()["orderId"]
        return placed

    return order


@pytest.fixture
def place_confirmed(place: Callable[..., str]) -> Callable[..., str]:
    """As `place`; the stock was reserved."""

    def order(caller: Caller) -> str:
        placed = place(caller)
        apply_stock_reply(order_id=placed, rejection=None)
        return placed

    return order


@pytest.fixture
def post(sell: Callable[..., str]) -> Callable[..., Any]:
    """`post(customer, "key")`: the response to an order with an address, and with a key if there is one."""
    address = {"name": "Ada L", "line1": "1 Long Lane", "city": "London", "postalCode": "N1", "country": "GB"}
    body = {"productId": sell(), "quantity": 1, "shippingAddress": address}

    def order(caller: Caller, key: str | None = None) -> Any:
        headers = {"idempotency-key": key} if key else {}
        return caller.post("/orders", body, "application/json", headers=headers)

    return order
