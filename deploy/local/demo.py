"""`make demo`: a customer registers, orders and receives the confirmation. Each step shows its time."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from deploy.local.console import console, say
from deploy.local.errors import LocalError, NotReady
from deploy.local.mailbox import CaughtMail, Mailbox
from deploy.local.probe import Answer, call, check_ready
from deploy.local.services import SERVICES
from deploy.local.stack import Stack
from deploy.local.waiting import until_ready

WAIT_SECONDS = 20.0
ADDRESS = {
    **{"name": "Ada Miller", "line1": "1 Market Street", "city": "Springfield"},
    **{"postalCode": "12345", "country": "US"},
}


class Demo:
    """One customer's journey through a running shop."""

    def __init__(self, ports: dict[str, int], mailbox: Mailbox) -> None:
        """`ports`: the HTTP ports by service."""
        self._ports, self._mailbox, self._token = ports, mailbox, ""
        self._name = f"ada.{secrets.token_hex(4)}"
        self._login = {"email": f"{self._name}@example.com", "password": secrets.token_urlsafe(12)}

    def run(self) -> None:
        """Walk through all steps. Raises LocalError at the first that fails."""
        with _step(f"{self._name} registers"):
            self._call("user_service", "POST", "/register", 201, {"username": self._name} | self._login)
        self._show_mail("the welcome mail arrives", "Welcome")
        with _step("logs in"):
            self._token = self._call("user_service", "POST", "/login", 200, self._login)["token"]
        with _step("browses what is in stock"):
            products = self._call("product_service", "GET", "/products?inStock=true&limit=5", 200)["results"]
        if not products:
            raise LocalError("the catalogue is empty: `python -m product_service seed` fills it")
        table = Table("product", "price", "in stock", box=None, padding=(0, 2, 0, 4))
        for product in products:
            cells = (product["name"], f"{product['price']} {product['currency']}", str(product["stock"]))
            table.add_row(*map(Text, cells))
        console.print(table)
        with _step(f"orders 2 of {products[0]['name']}"):
            order = self._order(products[0])
        say(f"    order {order['id']}: {order['total']} {order['currency']}, {order['status']}")
        self._show_mail("the order confirmation arrives", order["id"])

    def _order(self, product: dict[str, Any]) -> dict[str, Any]:
        """Place the order. Just after the shop's first start the order service may not know the product yet."""
        body = {"productId": product["id"], "quantity": 2, "productPrice": product["price"], "shippingAddress": ADDRESS}
        answers: list[Answer] = []

        def place() -> None:
            answers.append(call(self._ports["order_service"], "POST", "/orders", body, self._token))
            if answers[-1].status == 422:
                raise NotReady(f"the order is refused: {answers[-1].json['detail']}")

        until_ready(place, WAIT_SECONDS)
        return _expect(answers[-1], 201, "POST /orders")["order"]  # type: ignore[no-any-return]

    def _call(self, package: str, method: str, path: str, status: int, body: object = None) -> Any:
        answer = call(self._ports[package], method, path, body, self._token)
        return _expect(answer, status, f"{method} {path.partition('?')[0]}")

    def _show_mail(self, title: str, subject: str) -> None:
        found: list[CaughtMail] = []

        def find() -> None:
            found[:] = [mail for mail in self._mailbox.find(self._login["email"]) if subject in mail.subject]
            if not found:
                raise NotReady(f"no mail with {subject!r} in its subject came in {WAIT_SECONDS:.0f} s")

        with _step(title):
            until_ready(find, WAIT_SECONDS, every=0.02)
        for line in ("Subject: " + found[0].subject, "", *found[0].text.strip().splitlines()):
            say(f"    │ {line}")


def demo(stack: Stack) -> None:
    """Show the journey. Raises LocalError when the shop is not up."""
    ports = {service.package: stack.port_of(service) or 0 for service in SERVICES if service.port}
    for package, port in ports.items():
        try:
            check_ready(package, port)
        except NotReady as error:
            raise LocalError(f"the shop is not up ({error}): `make up` starts it") from None
    mail = stack.mail()
    if not mail:
        raise LocalError("the demo reads its mails in the mail catcher, and SMTP_SERVER names another server")
    Demo(ports, Mailbox(mail.page_port)).run()


@contextmanager
def _step(title: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    milliseconds = (time.monotonic() - started) * 1000
    console.print(f"[bold green]✓[/] {escape(title)} [dim]({milliseconds:.0f} ms)[/]", markup=True)


def _expect(answer: Answer, status: int, what: str) -> Any:
    if answer.status != status:
        raise LocalError(f"{what} answers {answer.status}: {answer.body[:300].decode(errors='replace')}")
    return answer.json
