"""People in a running shop: what they do over HTTP, and what comes into their mailbox."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from deploy.customers.mailbox import CaughtMail
from deploy.local.probe import Answer
from tests.shop import Shop

PATIENCE_SECONDS = 30.0


def wait_for(look: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """What `look` finds, as soon as it finds something; fails after a while."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.05)
    return found


@dataclass
class Person:
    """Somebody with an account and a token."""

    shop: Shop
    username: str
    email: str
    password: str
    token: str = ""

    def call(self, service: str, method: str, path: str, body: Any = None) -> Answer:
        """One request with this person's token."""
        return self.shop.call(service, method, path, body, self.token)

    def log_in(self) -> None:
        answer = self.call("user", "POST", "/login", {"email": self.email, "password": self.password})
        assert answer.status == 200, answer
        self.token = answer.json["token"]

    def order(self, product: dict[str, Any], quantity: int = 1, **fields: Any) -> dict[str, Any]:
        """Order one product; a new one reaches the order service's catalogue a moment later."""
        body = {"productId": product["id"], "quantity": quantity, **fields}
        answer = self.call("order", "POST", "/orders", body)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while answer.status == 422 and time.monotonic() < deadline:
            time.sleep(0.05)
            answer = self.call("order", "POST", "/orders", body)
        assert answer.status == 201, answer
        return answer.json["order"]

    def status_of(self, order: dict[str, Any]) -> str:
        return self.call("order", "GET", f"/orders/{order['id']}").json["status"]


class Town:
    """Makes people and products in one shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.mailbox = shop, shop.mailbox()

    def customer(self) -> Person:
        tag = secrets.token_hex(5)
        person = Person(self.shop, f"u{tag}", f"u{tag}@example.com", f"Correct-horse-{tag}")
        fields = {"username": person.username, "email": person.email, "password": person.password}
        assert person.call("user", "POST", "/register", fields).status == 201
        person.log_in()
        return person

    def staff(self) -> Person:
        person = Person(self.shop, "staff", self.shop.env["STAFF_EMAIL"], self.shop.env["STAFF_PASSWORD"])
        person.log_in()
        return person

    def colleague(self) -> Person:
        """Somebody new with role staff."""
        person = self.customer()
        user_id = person.call("user", "GET", "/users/me").json["id"]
        assert self.staff().call("user", "PATCH", f"/users/{user_id}", {"roles": ["staff"]}).status == 200
        person.log_in()
        return person

    def product(self, staff: Person, **fields: Any) -> dict[str, Any]:
        body = {"name": f"Lamp {secrets.token_hex(4)}", "price": "19.90", "stock": 100, **fields}
        answer = staff.call("product", "POST", "/products", body)
        assert answer.status == 201, answer
        return answer.json["product"]

    def mail(self, person: Person, subject: str) -> CaughtMail:
        """The mail to a person with this in its subject, once it is there."""
        look = lambda: [m for m in self.mailbox.find(person.email) if subject in m.subject]  # noqa: E731
        return wait_for(look, f"mail {subject!r}")[0]


@pytest.fixture
def town(shop: Shop) -> Town:
    return Town(shop)
