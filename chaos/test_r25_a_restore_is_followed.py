"""R25: after a restore of an older copy, the steps of docs/operations.md bring orders, stock and catalogue together again."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.quiet import wait_quiet
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Topics
from chaos.harness.waiting import wait_until

DOCUMENT = Path(__file__).parents[1] / "docs" / "operations.md"
STEP = re.compile(r"^docker compose run --rm (\w+)-web ([^#\n]+?) *(?:#.*)?$", re.MULTILINE)
COPIED = (
    "products",
    "price_history",
    "stock_movements",
    "reservations",
    "outbox",
    "product_changes",
    "idempotency_keys",
)
"""What a dump of product_service's database holds of the shop."""


def steps(title: str) -> Iterator[tuple[str, list[str]]]:
    """(service, arguments) of each command in a section of the document."""
    section = DOCUMENT.read_text().split(f"### {title}\n")[1].split("\n##")[0]
    found = STEP.findall(section)
    assert len(found) >= 5, found
    yield from ((service, command.split()) for service, command in found)


class Operator:
    """Runs the documented commands, one after the other, as an operator does."""

    def __init__(self, stack: Stack, stores: Stores, topics: Topics) -> None:
        self._stack, self._stores, self._topics = stack, stores, topics
        self._floor, self.last = "", (0, "")

    def follow(self, title: str) -> None:
        """Run all steps. Before a command that needs the last one's effect, wait for it."""
        for service, arguments in steps(title):
            checked = self._checked_at()
            words = [self._floor if word == "FLOOR" else word for word in arguments]
            wait_quiet(self._stores, self._topics)
            self.last = self._run(service, words)
            if found := re.search(r"--below (\d+)", self.last[1]):
                self._floor = found[1]
            if words == ["publish-held"]:
                seconds = self._stores.round_seconds()
                wait_until(lambda old=checked: self._checked_at() not in (None, old), seconds, "no round was compared")
        wait_quiet(self._stores, self._topics)

    def _checked_at(self) -> Any:
        rows = self._stores.sql("SELECT checked_at FROM reconciliation_state")
        return rows[0]["checked_at"] if rows else None

    def _run(self, service: str, words: list[str]) -> tuple[int, str]:
        argv = [sys.executable, "-m", f"{service}_service", *words]
        env = dict(self._stack.children[f"{service}-worker"].env)
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode in (0, 1), (argv, done.stderr)
        assert not done.stderr or "Wait" not in done.stderr, done.stderr
        return done.returncode, done.stdout


def confirmed(customers: Customers, product_id: str, quantity: int) -> str:
    """A new order that is confirmed."""
    answer = customers.order(product_id, quantity)
    assert answer.status == 201, answer
    order_id: str = answer.json["orderId"]
    wait_until(lambda: status_of(customers, order_id) == "confirmed", 60, lambda: status_of(customers, order_id))
    return order_id


def status_of(customers: Customers, order_id: str) -> str:
    shown = customers.at("order").call("GET", f"/orders/{order_id}", None, customers.buyer)
    return str(shown.json["status"])


def age_orders(stores: Stores) -> None:
    """Two hours pass: only orders that have not changed for an hour are compared."""
    stores.sql("UPDATE orders SET updated_at = updated_at - INTERVAL 2 HOUR")


@pytest.fixture
def operator(stack: Stack, stores: Stores, topics: Topics) -> Operator:
    return Operator(stack, stores, topics)


def test_an_older_copy_of_product_service_is_brought_up_to_date(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, operator: Operator
) -> None:
    product, shelf = customers.new_product(stock=100)["id"], stores.shelf
    before = confirmed(customers, product, 5)
    wait_quiet(stores, topics)
    copy = {name: list(shelf[name].find()) for name in COPIED}

    confirmed(customers, product, 15)
    confirmed(customers, product, 10)
    assert customers.at("order").call("POST", f"/orders/{before}/cancel", {}, customers.buyer).status == 200
    changed = customers.at("product").call("PATCH", f"/products/{product}", {"price": "12.00"}, customers.staff)
    assert changed.status == 200
    newer = customers.new_product(stock=7)["id"]
    wait_quiet(stores, topics)

    for name in ("product-worker", "product-web"):
        stack.children[name].stop()
    for name, rows in copy.items():
        shelf[name].delete_many({})
        if rows:
            shelf[name].insert_many(rows)
    stack.heal()
    assert shelf["products"].find_one({"name": {"$regex": "."}, "stock": 95})  # it is 75 by the orders
    age_orders(stores)

    operator.follow("An older copy of product_service")
    assert operator.last[0] == 0, operator.last  # check-stock
    (row,) = [row for row in shelf["products"].find() if str(row["_id"]) == product]
    assert row["stock"] == 75
    refused = customers.at("order").call("POST", "/orders", {"productId": newer, "quantity": 1}, customers.buyer)
    assert refused.status == 422, refused
    confirmed(customers, product, 1)
    assert stores.sql("SELECT COUNT(*) AS n FROM stock_differences")[0]["n"] == 0
    note("R25", "older copy of product_service: stock 95 where 75 is right, and 75 after the documented steps")


def test_an_older_copy_of_order_service_releases_the_stock_of_lost_orders(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, operator: Operator
) -> None:
    product = customers.new_product(stock=100)["id"]
    kept = confirmed(customers, product, 5)
    lost = confirmed(customers, product, 10)
    wait_quiet(stores, topics)
    for table in ("order_lines", "order_changes", "mail_requests", "order_notes"):
        stores.sql(f"DELETE FROM {table} WHERE order_id = %s", [lost])
    stores.sql("DELETE FROM sent_mails WHERE order_id = %s", [lost])
    stores.sql("DELETE FROM orders WHERE id = %s", [lost])
    age_orders(stores)
    shelf, hour = stores.shelf, 3_600_000 * 2
    row = shelf["reservations"].find_one({"_id": lost})
    assert row is not None
    assert row["state"] == "RESERVED"
    shelf["held_rounds"].update_one({}, [{"$set": {"due_at": {"$add": ["$$NOW", hour]}}}])
    # an order that was placed two hours ago: its id says so
    older = lost.replace(lost[:10], _earlier(lost))
    shelf["reservations"].delete_one({"_id": lost})
    shelf["reservations"].insert_one({**row, "_id": older})
    shelf["stock_movements"].update_many({"ref": lost}, {"$set": {"ref": older}})

    operator.follow("An older copy of order_service")
    assert operator.last == (0, operator.last[1]), operator.last  # reconcile
    assert shelf["reservations"].find_one({"_id": older})["state"] == "RELEASED"
    (found,) = [row for row in shelf["products"].find() if str(row["_id"]) == product]
    assert found["stock"] == 95
    assert status_of(customers, kept) == "confirmed"


def _earlier(order_id: str) -> str:
    """The beginning of an order's id, two hours earlier."""
    from ulid import ULID

    milliseconds = ULID.from_str(order_id).milliseconds - 2 * 3_600_000
    return str(ULID.from_bytes(milliseconds.to_bytes(6, "big") + bytes(10)))[:10]
