"""R18, R19: as many orders are confirmed as there are goods; every order is decided, soon after whatever went wrong is mended."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.http import Answer
from chaos.harness.load import load
from chaos.harness.quiet import wait_quiet
from chaos.harness.shelf import check_stock
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.waiting import wait_until

STOCK = 100
DECIDED_SECONDS = 60.0
COUNTED_SECONDS = 30.0
RATE = 20


@pytest.mark.quick
def test_of_two_hundred_orders_for_a_hundred_goods_a_hundred_are_confirmed_with_the_worker_killed(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, rng: random.Random
) -> None:
    """R18, smaller."""
    run(stack, customers, stores, topics, start, rng, orders=200, kills=1)


def test_of_five_hundred_orders_for_a_hundred_goods_a_hundred_are_confirmed_with_the_worker_killed_five_times(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, rng: random.Random
) -> None:
    """R18: kills, a broker restart, each event twice, and staff who move the stock up and down."""
    run(stack, customers, stores, topics, start, rng, orders=500, kills=5, staff_changes=200)


def run(
    stack: Stack,
    customers: Customers,
    stores: Stores,
    topics: Topics,
    start: Ends,
    rng: random.Random,
    *,
    orders: int,
    kills: int,
    staff_changes: int = 0,
) -> None:
    """Order from many hands while the one writer of the stock dies again and again."""
    product_id, worker = customers.new_product(stock=STOCK)["id"], stack.children["product-worker"]
    with ThreadPoolExecutor(16) as pool:
        posts = [pool.submit(customers.order, product_id) for _ in range(orders)]
        for kill in range(kills):
            wait_done(posts, orders * (kill + rng.random()) / kills)
            worker.kill()
        changes = [pool.submit(adjust, customers, product_id, 1 if n % 2 else -1) for n in range(staff_changes)]
    for change in changes:
        change.result()
    assert Counter(post.result().status for post in posts) == {201: orders}
    if kills > 1:
        stack.kafka.restart(stack.supervisor)
    wait_until(lambda: not any(stores.outbox().values()), 60, stores.outbox)
    topics.publish(topics.read("order-placed", "stock-reserved", "stock-rejected", since=start))
    wait_quiet(stores, topics)
    statuses = Counter(order["status"] for order in stores.orders(product_id))
    (product,) = stores.shelf["products"].find({"name": {"$regex": customers.tag}})
    note("R18", f"{orders} orders for {STOCK} pieces, {kills} kills: {statuses['confirmed']} confirmed")
    if staff_changes:
        assert statuses["confirmed"] + product["stock"] == STOCK + adjusted(customers)
    else:
        assert statuses == {"confirmed": STOCK, "rejected": orders - STOCK}
        assert product["stock"] == 0
    check_stock(stack)


def wait_done(posts: Sequence[Future[Any]], count: float) -> None:
    """Wait until so many are answered."""
    wait_until(lambda: sum(post.done() for post in posts) >= count, 120)


def adjust(customers: Customers, product_id: str, delta: int) -> None:
    """Staff count the goods anew, again with the same key after a 503.

    A worker that is killed in a transaction leaves the product locked for five seconds (docs/adr/0028).
    """
    key, path = customers.new_name("count"), f"/products/{product_id}/stock"
    body = {"delta": delta, "reason": "counted"}

    def send() -> Answer:
        return customers.at("product").call("POST", path, body, customers.staff, Idempotency_Key=key)

    wait_until(lambda: customers.history.record(f"adjust {delta:+}", key, send).outcome != "info", COUNTED_SECONDS)


def adjusted(customers: Customers) -> int:
    """What staff have added in all."""
    return sum(len(customers.history.keys(f"adjust {delta:+}", "ok")) * delta for delta in (1, -1))


@pytest.mark.parametrize("name", ["product-worker", "order-worker", "mongo", "kafka"])
def test_orders_taken_during_an_outage_are_decided_within_a_minute_of_its_end(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, name: str
) -> None:
    """R19: twenty seconds without a part of the saga."""
    child = stack.servers[name].child if name in stack.servers else stack.children[name]
    product_id = customers.new_product()["id"]
    with load(lambda _: customers.order(product_id), RATE / 2) as clients:
        clients.wait(20)
        child.freeze()
        clients.wait(10 * RATE)
        child.thaw()
    assert {call.outcome for call in customers.history.calls("order")} == {"ok"}, customers.history.statuses("order")
    assert stores.pending() > 0, "nothing waited for the frozen part"
    decided = wait_until(lambda: not stores.pending(), DECIDED_SECONDS, stores.pending)
    note("R19", f"all orders decided {decided:.1f} s after the return of {name}")
    assert {order["status"] for order in stores.orders(product_id)} == {"confirmed"}
    wait_quiet(stores, topics)


def test_orders_are_decided_within_a_second_when_nothing_is_wrong(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """R19: p95 from placed to confirmed at twenty orders a second."""
    product_id = customers.new_product()["id"]
    with load(lambda _: customers.order(product_id), RATE) as clients:
        clients.wait(15 * RATE)
    wait_quiet(stores, topics)
    rows = stores.sql(
        "SELECT TIMESTAMPDIFF(MICROSECOND, o.created_at, c.at) / 1e6 AS seconds FROM order_changes c "
        "JOIN orders o ON o.id = c.order_id JOIN order_lines l ON l.order_id = o.id "
        "WHERE c.to_status = 'confirmed' AND l.product_id = %s",
        [product_id],
    )
    seconds = sorted(float(row["seconds"]) for row in rows)
    assert len(seconds) >= 15 * RATE
    p95 = seconds[int(len(seconds) * 0.95)]
    note("R19", f"pending → confirmed p95 {p95 * 1000:.0f} ms at {RATE} a second")
    assert p95 <= 1.0
