"""R1, R4, R16: every acknowledged change has its events, in order and without a gap, whatever is killed meanwhile."""

from __future__ import annotations

import random

import pytest

from chaos.harness.checks import ORDER_TOPICS, PRODUCT_TOPICS, USER_TOPICS, check_events, check_order
from chaos.harness.customers import Customers
from chaos.harness.load import Load, load
from chaos.harness.quiet import wait_quiet
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.waiting import wait_until

RATE = 20


def check_all(customers: Customers, stores: Stores, topics: Topics, start: Ends, product_id: str) -> None:
    """What clients were told, what the databases hold and what the topics tell are the same."""
    history = customers.history
    users = {user["username"]: user for user in stores.users["users"].find({"username": {"$regex": customers.tag}})}
    orders = {order["tag"]: order for order in stores.orders(product_id)}
    product = stores.shelf["products"].find_one({"name": {"$regex": customers.tag}})
    assert product is not None
    for kind, stored in (("register", users), ("order", orders)):
        assert history.keys(kind, "ok") <= stored.keys(), f"{kind}: acknowledged, but not stored"
        assert not history.keys(kind, "fail") & stored.keys(), f"{kind}: refused, but stored"
    described = len(history.calls("describe", "ok"))
    assert described <= product["version"] - 1 <= described + len(history.calls("describe", "info"))
    for names, rows in (
        (USER_TOPICS, {str(user["_id"]): user["sequence"] for user in users.values()}),
        (PRODUCT_TOPICS, {str(product["_id"]): product["sequence"]}),
        (ORDER_TOPICS, {order["id"]: order["sequence"] for order in orders.values()}),
    ):
        records = topics.read(*names, since=start)
        check_events(rows, records)
        check_order(records)


def acting(customers: Customers, product_id: str):  # type: ignore[no-untyped-def]
    """A third of each: register, change a product, order."""
    acts = (customers.register, lambda: customers.describe(product_id), lambda: customers.order(product_id))
    return lambda number: acts[number % 3]()


def calls_later(clients: Load, calls: int) -> None:
    """Wait until the load has made so many calls more."""
    goal = clients.count + calls
    wait_until(lambda: clients.count >= goal, calls / RATE * 3 + 10)


@pytest.mark.quick
def test_no_acknowledged_change_loses_its_event_when_web_relay_and_broker_are_killed_once_each(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, rng: random.Random
) -> None:
    """R1, R16 for `make test`: a kill of one of each."""
    run(stack, customers, stores, topics, start, rng, rounds=1, gap=20, broker_away=40)


def test_no_acknowledged_change_loses_its_event_over_two_thousand_writes_and_twenty_kills(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, rng: random.Random
) -> None:
    """R1, R16: web killed ten times, workers ten times, the broker killed and away for 30 s."""
    calls = run(stack, customers, stores, topics, start, rng, rounds=10, gap=70, broker_away=30 * RATE)
    assert calls >= 2000


def run(
    stack: Stack,
    customers: Customers,
    stores: Stores,
    topics: Topics,
    start: Ends,
    rng: random.Random,
    *,
    rounds: int,
    gap: int,
    broker_away: int,
) -> int:
    """Load at 20 calls a second; in each round one web and one worker are killed, `gap` calls apart; then the broker."""
    product_id = customers.new_product()["id"]
    with load(acting(customers, product_id), RATE) as clients:
        for _ in range(rounds):
            for kind in ("web", "worker"):
                calls_later(clients, gap)
                stack.children[f"{rng.choice(('user', 'product', 'order'))}-{kind}"].kill()
        calls_later(clients, gap)
        stack.kafka.child.wanted = False
        stack.kafka.child.kill()
        calls_later(clients, broker_away)
        stack.supervisor.start(stack.kafka.child)
        stack.kafka.wait()
        calls_later(clients, gap)
    print(customers.history.statuses())  # noqa: T201 -- shown when the test fails
    wait_quiet(stores, topics)
    check_all(customers, stores, topics, start, product_id)
    assert customers.history.calls("order", "ok")
    return len(customers.history.calls(outcome="ok"))
