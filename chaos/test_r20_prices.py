"""R20: whatever price a client names, an order is confirmed at one that the product had within the last ten minutes."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.quiet import wait_quiet
from chaos.harness.sizes import size
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.waiting import wait_until


@pytest.mark.parametrize(
    ("orders", "changes"),
    [pytest.param(150, 20, marks=pytest.mark.quick), (size(1500, 10_000), size(150, 1000))],
    ids=["few", "many"],
)
def test_no_order_is_confirmed_at_a_price_that_the_product_never_had(
    stack: Stack,
    customers: Customers,
    stores: Stores,
    topics: Topics,
    start: Ends,
    rng: random.Random,
    orders: int,
    changes: int,
) -> None:
    """The price changes all the time, clients name made-up prices, and product_service freezes in the midst of it.

    A frozen process may hold the product for 5 s (ADR 28). Staff try again then.
    """
    product_id = customers.new_product(price="10.00")["id"]
    prices = {"10.00", *(f"{10 + number / 100:.2f}" for number in range(1, changes + 1))}
    made_up = [f"{rng.uniform(0, 20):.2f}" for _ in range(orders)]

    def change(number: int) -> None:
        body = {"price": f"{10 + number / 100:.2f}"}

        def is_set() -> bool:
            answer = customers.at("product").call("PATCH", f"/products/{product_id}", body, customers.staff)
            assert answer.status in (200, 503), answer
            return answer.status == 200

        wait_until(is_set, 20, number)

    def order(price: str) -> int:
        body = {"productId": product_id, "quantity": 1}
        if rng.random() < 0.5:
            body["productPrice"] = price
        return customers.at("order").call("POST", "/orders", body, customers.buyer).status

    with ThreadPoolExecutor(1) as staff, ThreadPoolExecutor(8) as clients:
        changing = [staff.submit(change, number) for number in range(1, changes + 1)]
        ordering = [clients.submit(order, price) for price in made_up]
        changing[changes // 2].result()
        stack.children["product-worker"].freeze()
        for call in changing:
            call.result()
        stack.children["product-worker"].thaw()
        statuses = Counter(call.result() for call in ordering)
    assert statuses.keys() == {201, 409}
    wait_quiet(stores, topics)
    rows = stores.sql(
        "SELECT o.status, l.unit_price FROM orders o JOIN order_lines l ON l.order_id = o.id WHERE l.product_id = %s",
        [product_id],
    )
    note("R20", f"{orders:,} orders and {changes:,} price changes: {len(rows):,} taken")
    assert len(rows) == statuses[201]
    assert {row["status"] for row in rows} <= {"confirmed", "rejected"}
    assert {str(row["unit_price"]) for row in rows if row["status"] == "confirmed"} <= prices
    assert [row for row in rows if row["status"] == "confirmed"]
