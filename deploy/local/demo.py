"""`make demo`: what a customer lives through, from registration to the confirmation of an order, with the time of each step."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from deploy.local.client import Answer, call
from deploy.local.errors import LocalError, NotReady
from deploy.local.health import check_ready
from deploy.local.mailbox import CaughtMail, Mailbox
from deploy.local.services import SERVICES
from deploy.local.stack import Stack
from deploy.local.wait import until_ready

MAIL_SECONDS = 20.0
CATALOGUE_SECONDS = 10.0
ADDRESS = {
    "name": "Ada Miller",
    "line1": "1 Market Street",
    "city": "Springfield",
    "postalCode": "12345",
    "country": "US",
}


class Demo:
    """One customer's journey through a running shop."""

    def __init__(self, stack: Stack, console: Console) -> None:
        self._ports = {service.package: stack.port_of(service) or 0 for service in SERVICES if service.port}
        mail = stack.mail()
        if not mail:
            raise LocalError("the demo reads its mails in the mail catcher, and SMTP_SERVER names another server")
        self._mailbox = Mailbox(mail.page_port)
        self._console = console
        tag = secrets.token_hex(4)
        self._email = f"ada.{tag}@example.com"
        self._person = {"username": f"ada.{tag}", "email": self._email, "password": secrets.token_urlsafe(12)}
        self._token = ""

    def run(self) -> None:
        """Walk through all steps. Raises LocalError at the first that does not work."""
        with self._step(f"{self._person['username']} registers"):
            self._call("user_service", "POST", "/register", 201, self._person)
        self._show_mail("the welcome mail arrives", "Welcome")
        with self._step("logs in"):
            credentials = {name: self._person[name] for name in ("email", "password")}
            self._token = self._call("user_service", "POST", "/login", 200, credentials)["token"]
        with self._step("browses what is in stock"):
            products = self._call("product_service", "GET", "/products?inStock=true&limit=5", 200)["results"]
        if not products:
            raise LocalError("the catalogue is empty: `python -m product_service seed` fills it")
        self._show_products(products)
        with self._step(f"orders 2 of {products[0]['name']}"):
            order = self._order(products[0])
        self._console.print(f"    order {order['id']}: {order['total']} {order['currency']}, {order['status']}")
        self._show_mail("the order confirmation arrives", order["id"])

    def _order(self, product: dict[str, Any]) -> dict[str, Any]:
        """Place the order; for a moment after the shop's very first start the order service may not know the product."""
        body = {"productId": product["id"], "quantity": 2, "productPrice": product["price"], "shippingAddress": ADDRESS}
        answers: list[Answer] = []

        def place() -> None:
            answers.append(call(self._ports["order_service"], "POST", "/orders", body, self._token))
            if answers[-1].status == 422:
                raise NotReady(f"the order is refused: {answers[-1].json['detail']}")

        until_ready(place, CATALOGUE_SECONDS)
        order: dict[str, Any] = _expect(answers[-1], 201, "POST /orders")["order"]
        return order

    def _call(self, package: str, method: str, path: str, status: int, body: object = None) -> Any:
        answer = call(self._ports[package], method, path, body, self._token)
        return _expect(answer, status, f"{method} {path.partition('?')[0]}")

    def _show_mail(self, title: str, subject: str) -> None:
        found: list[CaughtMail] = []

        def look() -> None:
            found[:] = [mail for mail in self._mailbox.find(self._email) if subject in mail.subject]
            if not found:
                raise NotReady(f"no mail with {subject!r} in its subject came in {MAIL_SECONDS:.0f} s")

        with self._step(title):
            until_ready(look, MAIL_SECONDS, every=0.02)
        for line in ("Subject: " + found[0].subject, "", *found[0].text.strip().splitlines()):
            self._console.print(Text(f"    │ {line}"), soft_wrap=True)

    def _show_products(self, products: list[dict[str, Any]]) -> None:
        table = Table("product", "price", "in stock", box=None, padding=(0, 2, 0, 4))
        for product in products:
            cells = (product["name"], f"{product['price']} {product['currency']}", str(product["stock"]))
            table.add_row(*map(Text, cells))
        self._console.print(table)

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        milliseconds = (time.monotonic() - started) * 1000
        self._console.print(f"[bold green]✓[/] {escape(title)} [dim]({milliseconds:.0f} ms)[/]")


def demo(stack: Stack) -> None:
    """Show the journey. Raises LocalError when the shop is not up."""
    for service in SERVICES:
        port = stack.port_of(service)
        if port:
            try:
                check_ready(service.name, port)
            except NotReady as error:
                raise LocalError(f"the shop is not up ({error}): `make up` starts it") from None
    Demo(stack, Console(highlight=False)).run()


def _expect(answer: Answer, status: int, what: str) -> Any:
    if answer.status != status:
        raise LocalError(f"{what} answers {answer.status}: {answer.body[:300].decode(errors='replace')}")
    return answer.json
