"""R1, R4, R16: every acknowledged change has its events, in order and without a gap, whatever is killed meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.http import Answer
from chaos.harness.load import load
from chaos.harness.quiet import wait_quiet
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.truth import check_all

RATE = 20


def acting(customers: Customers, product_id: str) -> Callable[[int], Answer]:
    """A third of each: register, change a product, order."""
    acts = (customers.register, lambda: customers.describe(product_id), lambda: customers.order(product_id))
    return lambda number: acts[number % 3]()


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
                clients.wait(gap)
                stack.children[f"{rng.choice(('user', 'product', 'order'))}-{kind}"].kill()
        clients.wait(gap)
        stack.kafka.child.wanted = False
        stack.kafka.child.kill()
        clients.wait(broker_away)
        stack.supervisor.start(stack.kafka.child)
        stack.kafka.wait()
        clients.wait(gap)
    print(customers.history.statuses())  # noqa: T201 -- shown when the test fails
    wait_quiet(stores, topics)
    check_all(customers, stores, topics, start, product_id)
    assert customers.history.calls("order", "ok")
    done = len(customers.history.calls(outcome="ok"))
    note("R1", f"{done:,} acknowledged writes, {2 * rounds + 1} kills: no event lost, none of a change that never was")
    return done
