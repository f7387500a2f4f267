"""`make demo`: a customer registers, orders, sees a rejection, and receives a confirmation. Each step shows its time."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from deploy.customers.shop import Shop, expect, open_shop
from deploy.local.console import console, say
from deploy.local.errors import LocalError, NotReady
from deploy.local.ports import LOOPBACK, is_open
from deploy.local.stack import Stack
from deploy.local.supervision.waiting import until_ready
from deploy.observe.order_events import OrderEvent, read_order_events
from libs.messaging.kafka.brokers import Account, Brokers

WAIT_SECONDS = 20.0
CONFIRMATION = "Your order #{} is reserved"
CLOCK_TOLERANCE = timedelta(seconds=2)  # in containers the broker's clock may differ
MAILS = 2  # of a confirmed order: one when it is placed, one when its stock is reserved
ADDRESS = {
    **{"name": "Ada Miller", "line1": "1 Market Street", "city": "Springfield"},
    **{"postalCode": "12345", "country": "US"},
}


class Demo:
    """One customer's journey through a running shop."""

    def __init__(self, shop: Shop, brokers: Brokers) -> None:
        """`brokers`: where Kafka is."""
        self._shop, self._brokers, self._token = shop, brokers, ""
        self._started = datetime.now(UTC) - CLOCK_TOLERANCE
        self._name = f"ada.{secrets.token_hex(4)}"
        self._login = {"email": f"{self._name}@example.com", "password": secrets.token_urlsafe(12)}

    def run(self) -> None:
        """Walk through all steps. Raises LocalError at the first that fails."""
        with _step(f"{self._name} registers"):
            self._shop.post("user_service", "/register", {"username": self._name} | self._login, 201)
        self._show_mail("the welcome mail arrives", "Welcome")
        with _step("logs in"):
            self._token = self._shop.post("user_service", "/login", self._login, 200)["token"]
        with _step("browses what is in stock"):
            products = self._shop.read("product_service", "/products?inStock=true&limit=5")["results"]
        if not products:
            raise LocalError("no product is in stock: `make manage SERVICE=product_service ARGS=seed` adds some")
        table = _table("product", "price", "in stock")
        for product in products:
            cells = (product["name"], f"{product['price']} {product['currency']}", str(product["stock"]))
            table.add_row(*map(Text, cells))
        console.print(table)
        self._be_rejected()
        self._be_confirmed(products[0])

    def _be_rejected(self) -> None:
        """Order more than there is of the product with the least stock."""
        page = self._shop.read("product_service", "/products?inStock=true&limit=100")["results"]
        rare = min(page, key=lambda product: product["stock"])
        with _step(f"orders {rare['stock'] + 1} of {rare['name']}, of which there are {rare['stock']}"):
            order = self._order(rare, rare["stock"] + 1)
        with _step("the order is rejected"):
            rejected = self._await_decision(order["id"], "rejected")
        say(f"    order {rejected['id']}: {rejected['status']}, reason {rejected['reason']}")

    def _be_confirmed(self, product: dict[str, Any]) -> None:
        """Order what is there, and show the order's events and its last mail."""
        with _step(f"orders 2 of {product['name']}"):
            order = self._order(product, 2)
        say(f"    order {order['id']}: {order['total']} {order['currency']}, {order['status']}")
        with _step("the stock is reserved"):
            confirmed = self._await_decision(order["id"], "confirmed")
        say(f"    order {confirmed['id']}: {confirmed['status']}")
        self._show_events(order["id"])
        self._show_mail("the confirmation is in the mailbox", CONFIRMATION.format(order["id"]))

    def _await_decision(self, order_id: str, status: str) -> dict[str, Any]:
        """The order once it is no longer pending. Raises LocalError when it gets another status than this."""

        def read() -> dict[str, Any]:
            order: dict[str, Any] = self._shop.read("order_service", f"/orders/{order_id}", self._token)
            if order["status"] == "pending":
                raise NotReady(f"the order is pending after {WAIT_SECONDS:.0f} s")
            return order

        order = until_ready(read, WAIT_SECONDS, every=0.02)
        if order["status"] != status:
            raise LocalError(f"the order is {order['status']} and not {status}: {order.get('reason')}")
        return order

    def _order(self, product: dict[str, Any], quantity: int) -> Any:
        """Place the order. Just after the shop's first start the order service may not know the product yet."""
        item = {"productId": product["id"], "quantity": quantity, "productPrice": product["price"]}

        def place() -> Any:
            answer = self._shop.request(
                "order_service", "POST", "/orders", item | {"shippingAddress": ADDRESS}, self._token
            )
            if answer.status == 422:
                raise NotReady(f"the order is refused: {answer.json['detail']}")
            return expect(answer, 201, "POST /orders")["order"]

        return until_ready(place, WAIT_SECONDS)

    def _show_mail(self, title: str, subject: str) -> None:
        """Wait for the mail with `subject` in its subject, and show it."""
        with _step(title):
            mail = self._shop.await_mail(self._login["email"], subject)
        for line in ("Subject: " + mail.subject, "", *mail.text.strip().splitlines()):
            say(f"    │ {line}")

    def _show_events(self, order_id: str) -> None:
        """Show the events about the order, up to the report of its last mail."""

        def read() -> list[OrderEvent]:
            events = read_order_events(self._brokers, order_id, self._started)
            if sum(event.topic == "mail-sent" for event in events) < MAILS:
                raise NotReady(f"the mails of the order are not reported after {WAIT_SECONDS:.0f} s")
            return events

        with _step("the events of the order, read from Kafka"):
            events = until_ready(read, WAIT_SECONDS)
        table = _table("time (UTC)", "topic", "published by")
        for event in events:
            table.add_row(f"{event.at:%H:%M:%S.%f}"[:-3], event.topic, event.source)
        console.print(table)


def demo(stack: Stack) -> None:
    """Show the journey. Raises LocalError when the shop is not up."""
    shop = open_shop(stack, "the demo reads its mails in the mail catcher")
    Demo(shop, _find_brokers(stack)).run()


def _find_brokers(stack: Stack) -> Brokers:
    """Kafka of the local stack, or the one that Compose publishes, which requires a login."""
    settings = stack.settings
    port = settings.local_port("KAFKA_BROKERS", settings.get("KAFKA_BROKERS"))
    if is_open(port):
        return f"{LOOPBACK}:{port}"
    address = f"{LOOPBACK}:{settings.port('KAFKA_PUBLISHED_PORT', 29092)}"
    return Account(address, "admin", SecretStr(settings.get("KAFKA_PASSWORD_ADMIN")))


@contextmanager
def _step(title: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    milliseconds = (time.monotonic() - started) * 1000
    console.print(f"[bold green]✓[/] {escape(title)} [dim]({milliseconds:.0f} ms)[/]", markup=True)


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, padding=(0, 2, 0, 4))
