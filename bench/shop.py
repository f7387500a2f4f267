"""The shop that is measured, with enough in it to be measured."""

from __future__ import annotations

import secrets
import shutil
from typing import Any

from bench.request import registrations
from deploy import envfile
from deploy.local.errors import LocalError, NotReady
from deploy.local.probe import call
from deploy.local.state import ROOT, State
from deploy.local.supervision.waiting import until_ready
from tests.shop import PORTS, Shop, make_shop

DIRECTORY = ROOT / ".local" / "bench"
PRODUCTS = 150
ORDERS = 40
CATALOGUE_SECONDS = 30.0


def open_shop() -> Shop:
    """The bench's own shop, not started and empty: what a run before has left would be worked off while we measure."""
    if (DIRECTORY / ".env").exists():
        Shop(State(DIRECTORY), envfile.read(DIRECTORY / ".env")).command("down")
        shutil.rmtree(DIRECTORY)
    DIRECTORY.mkdir(parents=True)
    # JSON as in production, because console lines cost more. Failed logins, mails and orders are measured, all of one client.
    lifted = dict.fromkeys(("RATE_LIMIT_FAILURES", "RATE_LIMIT_MAILS", "UNVERIFIED_OPEN_PIECES"), "off")
    # A token has to last for the whole run.
    return make_shop(DIRECTORY, LOG_FORMAT="json", ACCESS_TOKEN_SECONDS="3540", **lifted)


class Data:
    """A customer with orders, and products to order."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.staff = self._login(shop.env["STAFF_EMAIL"], shop.env["STAFF_PASSWORD"])
        tag = secrets.token_hex(5)
        self.credentials = {"email": f"bench.{tag}@example.com", "password": secrets.token_urlsafe(12)}
        self.ask("user", "POST", "/register", 201, self.credentials | {"username": f"bench.{tag}"})
        self.accounts = {"email": f"bench.{tag}.~@example.com", "password": self.credentials["password"]}
        """Credentials of ACCOUNTS customers: of the number in place of `~`."""
        for person in registrations(self.accounts):
            self.ask("user", "POST", "/register", 201, person)
        self.customer = self._login(**self.credentials)
        products = [self._make_product(f"{tag} {number}") for number in range(PRODUCTS)]
        self.product: dict[str, Any] = products[-1]
        self.order_body = {"productId": self.product["id"], "quantity": 1}
        until_ready(self._place_order, CATALOGUE_SECONDS)
        for _ in range(ORDERS - 1):
            self._place_order()
        orders = self.ask("order", "GET", "/orders?limit=1", 200, token=self.customer)
        self.order_id: str = orders["results"][0]["id"]

    def ask(self, service: str, method: str, path: str, status: int, body: object = None, token: str = "") -> Any:
        """A request that must be answered with a status. Raises LocalError when it is not."""
        answer = call(int(self._shop.env[PORTS[service]]), method, path, body, token)
        if answer.status == 422:
            raise NotReady(f"{method} {path} answers 422")
        if answer.status != status:
            raise LocalError(f"{method} {path} answers {answer.status}: {answer.body[:200]!r}")
        return answer.json

    def _login(self, email: str, password: str) -> str:
        token: str = self.ask("user", "POST", "/login", 200, {"email": email, "password": password})["token"]
        return token

    def _make_product(self, name: str) -> dict[str, Any]:
        body = {
            "name": f"Bench {name}",
            "description": "A product to measure with. " * 5,
            "price": "9.90",
            "stock": 10**6,
        }
        product: dict[str, Any] = self.ask("product", "POST", "/products", 201, body, self.staff)["product"]
        return product

    def _place_order(self) -> None:
        self.ask("order", "POST", "/orders", 201, self.order_body, self.customer)
