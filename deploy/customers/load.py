"""`make load RATE=20`: customers order at a steady rate for a minute, so that the figures of the shop move.

The rate is open: a journey begins when it is due, whether the earlier ones are answered or not. Its time counts from then.
"""

import random
import re
import secrets
import statistics
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.arguments import read_variables
from deploy.customers.shop import Shop, open_shop
from deploy.local.console import console, say, step
from deploy.local.errors import LocalError, NotReady
from deploy.local.stack import Stack
from deploy.local.supervision.waiting import until_ready

CUSTOMERS = 5
THREADS = 64
MAX_RATE, MAX_SECONDS = 200, 600  # a token lives for 15 minutes
DECISION_SECONDS = 60.0
STOCK_PER_PRODUCT = 100_000
VERIFICATION = "Verify your e-mail address"
TOKEN = re.compile(r"token=([\w.~-]+)")


@dataclass
class Outcome:
    """What became of the journeys so far. Times in seconds, from the moment when a journey was due."""

    seconds: list[float] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    last_order: tuple[str, str] | None = None  # its id, and its customer's token

    def percentile(self, percent: int) -> float:
        """A percentile of the times, in milliseconds."""
        if len(self.seconds) < 2:
            return 1000 * sum(self.seconds)
        return 1000 * statistics.quantiles(self.seconds, n=100, method="inclusive")[percent - 1]

    def line(self) -> str:
        """One line for the progress."""
        failed = "".join(f", {count} times {reason}" for reason, count in sorted(self.refused.items()))
        times = (
            f"50 % in {self.percentile(50):.0f} ms, 95 % in {self.percentile(95):.0f} ms"
            if self.seconds
            else "no order yet"
        )
        return f"{len(self.seconds)} orders, {times}{failed}"


class Load:
    """The customers, and what they do."""

    def __init__(self, shop: Shop, staff: tuple[str, str]) -> None:
        """`staff`: address and password of an account that may change stock."""
        self._shop, self._staff = shop, staff
        self._tokens, self._products, self.outcome = list[str](), list[dict[str, Any]](), Outcome()
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Make the customers, whose addresses are verified, and fill up the stock. Raises LocalError."""
        self._tokens = [self._customer() for _ in range(CUSTOMERS)]
        page = self._shop.read("product_service", "/products?limit=20")["results"]
        self._products = [product for product in page if self._fill_up(product)]
        if not self._products:
            raise LocalError("there is no product: `make manage SERVICE=product_service ARGS=seed` adds some")

    def run(self, rate: int, seconds: int) -> None:
        """Begin `rate` journeys a second for so many seconds, and wait for their ends."""
        columns = (TextColumn(" "), BarColumn(24), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
        with ThreadPoolExecutor(THREADS) as pool, Progress(*columns, console=console) as progress:
            task, began = progress.add_task("", total=rate * seconds), time.monotonic()
            running = list[Future[None]]()
            for number in range(rate * seconds):
                due = began + number / rate
                time.sleep(max(0.0, due - time.monotonic()))
                running.append(pool.submit(self._journey, due))
                progress.update(task, advance=1, description=self.outcome.line())
            for done in running:
                done.result()
            progress.update(task, description=self.outcome.line())

    def await_decision(self) -> None:
        """Return when the last order is decided. Raises NotReady after a minute."""
        if self.outcome.last_order is None:
            return
        order_id, token = self.outcome.last_order

        def read() -> None:
            answer = self._shop.request("order_service", "GET", f"/orders/{order_id}", token=token)
            if answer.status != 200 or answer.json["status"] == "pending":
                raise NotReady(f"order {order_id} is pending: make follow ORDER={order_id}")

        until_ready(read, DECISION_SECONDS)

    def _journey(self, due: float) -> None:
        token, product = random.choice(self._tokens), random.choice(self._products)
        try:
            self._shop.request("product_service", "GET", f"/products/{product['id']}")
            body = {"productId": product["id"], "quantity": random.randint(1, 3)}
            answer = self._shop.request("order_service", "POST", "/orders", body, token)
        except NotReady:
            self._refuse("no answer")
            return
        if answer.status == 201:
            self.outcome.seconds.append(time.monotonic() - due)
            self.outcome.last_order = answer.json["orderId"], token
        else:
            code = answer.json.get("code") if isinstance(answer.json, dict) else None
            self._refuse(f"{answer.status} {code or ''}".strip())

    def _refuse(self, reason: str) -> None:
        with self._lock:
            self.outcome.refused[reason] = self.outcome.refused.get(reason, 0) + 1

    def _customer(self) -> str:
        """The token of a new customer with a verified address."""
        name = f"load.{secrets.token_hex(4)}"
        login = {"email": f"{name}@example.com", "password": secrets.token_urlsafe(12)}
        self._shop.post("user_service", "/register", {"username": name} | login, 201)
        link = TOKEN.search(self._shop.await_mail(login["email"], VERIFICATION).text)
        if not link:
            raise LocalError("the mail of a verification has no link")
        self._shop.post("user_service", "/verify-email", {"token": link[1]}, 204)
        return self._log_in(login["email"], login["password"])

    def _log_in(self, email: str, password: str) -> str:
        return str(self._shop.post("user_service", "/login", {"email": email, "password": password}, 200)["token"])

    def _fill_up(self, product: dict[str, Any]) -> bool:
        missing = STOCK_PER_PRODUCT - int(product["stock"])
        if missing <= 0:
            return True
        body, path = {"delta": missing, "reason": "make load"}, f"/products/{product['id']}/stock"
        return self._shop.request("product_service", "POST", path, body, self._log_in(*self._staff)).status == 200


def load(stack: Stack, arguments: Sequence[str]) -> None:
    """Drive the load of RATE=20 orders a second for SECONDS=60. Raises LocalError for other numbers, or when the shop is not up."""
    rate, seconds = read_numbers(arguments)
    shop = open_shop(stack, "the customers verify their addresses by the mail catcher")
    customers = Load(shop, (stack.settings.get("STAFF_EMAIL"), stack.settings.get("STAFF_PASSWORD")))
    with step(f"{CUSTOMERS} customers register and verify their addresses"):
        customers.prepare()
    say(f"  {rate} orders a second for {seconds} s")
    customers.run(rate, seconds)
    with step("the last order is decided"):
        try:
            customers.await_decision()
        except NotReady as error:
            raise LocalError(str(error)) from None
    say(f"  {customers.outcome.line()}")


def read_numbers(arguments: Sequence[str]) -> tuple[int, int]:
    """The orders a second, and the seconds. Raises LocalError."""
    given = read_variables(arguments, ("RATE", "SECONDS"))
    texts = given.get("RATE", "20"), given.get("SECONDS", "60")
    numbers = [int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0 for text in texts]
    if not (1 <= numbers[0] <= MAX_RATE and 1 <= numbers[1] <= MAX_SECONDS):
        raise LocalError(f"RATE is 1 to {MAX_RATE} orders a second, and SECONDS is 1 to {MAX_SECONDS}")
    return numbers[0], numbers[1]
