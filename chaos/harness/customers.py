"""What people do in the shop, each call recorded under a name by which it can be found again in the databases."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

from chaos.harness.history import History
from chaos.harness.http import Answer, Target
from chaos.harness.stack import Stack
from chaos.harness.waiting import wait_until

RENEW_SECONDS = 2400.0  # of the 3,540 that an access token lasts: in the others a server may be down
PASSWORD = "a long enough passphrase"


class Customers:
    """Clients of one test: a member of staff, a customer, and as many newcomers as register."""

    def __init__(self, stack: Stack, rng: random.Random) -> None:
        self.stack, self.history, self.tag = stack, History(), f"{rng.getrandbits(40):010x}"
        self._numbers, self._lock = 0, threading.Lock()
        self._staff = self._log_in(stack.settings.get("STAFF_EMAIL"), stack.settings.get("STAFF_PASSWORD"))
        name = self.new_name("buyer")
        assert self.register(name).status == 201
        self.buyer_email = f"{name}@example.com"
        self._buyer = self._log_in(self.buyer_email, PASSWORD)

    @property
    def staff(self) -> str:
        """An access token of the member of staff."""
        return self._staff.renewed(self.at("user"))

    @property
    def buyer(self) -> str:
        """An access token of the customer."""
        return self._buyer.renewed(self.at("user"))

    def new_name(self, what: str) -> str:
        """A name that no other call has: `user.1f00ba5e42.17`."""
        with self._lock:
            self._numbers += 1
            return f"{what}.{self.tag}.{self._numbers}"

    def at(self, name: str) -> Target:
        """A web process: `user`, `product`, `order`."""
        return self.stack.target(f"{name}-web")

    def register(self, name: str | None = None) -> Answer:
        """A newcomer. Recorded as `register` under the user name."""
        name = name or self.new_name("user")
        body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        return self.history.record("register", name, lambda: self.at("user").call("POST", "/register", body))

    def new_product(self, stock: int = 10**6, price: str = "9.90") -> dict[str, Any]:
        """A product that can be ordered: the catalogue's replica knows it."""
        body = {"name": self.new_name("product"), "price": price, "stock": stock}
        answer = self.at("product").call("POST", "/products", body, self.staff)
        assert answer.status == 201, answer
        product: dict[str, Any] = answer.json["product"]
        # A wrong price is refused with 409 for a known product and with 422 for an unknown one; neither makes an order.
        wait_until(lambda: self._is_known(product["id"]), 30, f"{product['id']} is not in the replica")
        return product

    def _is_known(self, product_id: str) -> bool:
        probe = {"productId": product_id, "quantity": 1, "productPrice": "99999.99"}
        return self.at("order").call("POST", "/orders", probe, self.buyer).status == 409

    def describe(self, product_id: str) -> Answer:
        """A change of a product. Recorded as `describe` under the product's id."""
        body = {"description": self.new_name("text")}
        return self.history.record(
            "describe",
            product_id,
            lambda: self.at("product").call("PATCH", f"/products/{product_id}", body, self.staff),
        )

    def order(self, product_id: str, quantity: int = 1, tag: str = "", **headers: str) -> Answer:
        """An order. Recorded as `order` under its tag, which is the name in its address."""
        tag = tag or self.new_name("order")
        address = {"name": tag, "line1": "1 Test Street", "city": "Testville", "postalCode": "12345", "country": "US"}
        body = {"productId": product_id, "quantity": quantity, "shippingAddress": address}
        return self.history.record(
            "order", tag, lambda: self.at("order").call("POST", "/orders", body, self.buyer, **headers)
        )

    def _log_in(self, email: str, password: str) -> Login:
        answer = self.at("user").call("POST", "/login", {"email": email, "password": password})
        assert answer.status == 200, answer
        return Login(answer.json)


class Login:
    """The tokens of a login. The access token is renewed in time: it lasts for an hour at most."""

    def __init__(self, tokens: dict[str, Any]) -> None:
        self._tokens, self._since, self._lock = tokens, time.monotonic(), threading.Lock()

    def renewed(self, user: Target) -> str:
        """The access token. While user_service does not answer it stays the one of before."""
        with self._lock:
            if time.monotonic() - self._since > RENEW_SECONDS:
                answer = user.call("POST", "/token/refresh", {"refresh": self._tokens["refresh"]})
                if answer.status == 200:
                    self._tokens, self._since = answer.json, time.monotonic()
            return str(self._tokens["token"])
