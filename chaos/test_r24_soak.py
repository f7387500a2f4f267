"""R24: half an hour of customers, with a random fault each thirty seconds; nothing is lost, doubled, stuck or leaked."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.harness.child import Child
from chaos.harness.customers import Customers
from chaos.harness.load import load
from chaos.harness.quiet import wait_quiet
from chaos.harness.shelf import check_stock
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.truth import check_all
from chaos.harness.waiting import wait_until

SECONDS = 30 * 60
RATE = 20
EACH = 30
FAULT_SECONDS = 8
WARM_SECONDS = 60


def nemeses(stack: Stack, rng: random.Random) -> dict[str, Callable[[], None]]:
    """Faults that end by themselves, each within FAULT_SECONDS; each asserts that it happened."""

    def child() -> Child:
        return rng.choice(list(stack.children.values()))

    def freeze(victim: Child) -> None:
        victim.freeze()
        wait_while(FAULT_SECONDS)
        victim.thaw()

    def terminate() -> None:
        victim = child()
        victim.stop()
        assert victim.returncode == 0, victim.name
        stack.supervisor.start(victim)

    def toxic(name: str, kind: str, value: float) -> None:
        proxy = stack.servers[name].proxy
        before = sum(proxy.counts.values())
        with proxy.toxic(kind, value):
            wait_while(FAULT_SECONDS)
        assert sum(proxy.counts.values()) > before

    servers = list(stack.servers)
    return {
        "kill a process": lambda: print("killed", child().kill()),  # noqa: T201 -- shown when the test fails
        "freeze a process": lambda: freeze(child()),
        "end a process": terminate,
        "kill a server": lambda: print("killed", stack.servers[rng.choice(servers)].child.kill()),  # noqa: T201
        "freeze a server": lambda: freeze(stack.servers[rng.choice(servers)].child),
        "slow a server": lambda: toxic(rng.choice(servers), "latency", 0.2),
        "hold a server's data": lambda: toxic(rng.choice(servers), "timeout", 0.0),
        "reset connections": lambda: toxic(rng.choice(servers), "reset_peer", 0.0),
        "refuse mail": lambda: refuse_mail(stack),
    }


def refuse_mail(stack: Stack) -> None:
    """Nobody takes mail for a while."""
    stack.mail.down()
    wait_while(FAULT_SECONDS)
    stack.mail.up()


def wait_while(seconds: float) -> None:
    """The fault lasts; clients go on."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, seconds + 5)


def descriptors(stack: Stack) -> Counter[str]:
    """Open files and threads of all processes."""
    counts: Counter[str] = Counter()
    for child in stack.children.values():
        for pid in child.family():
            counts["files"] += len(os.listdir(f"/proc/{pid}/fd"))
            counts["threads"] += len(list(Path(f"/proc/{pid}/task").iterdir()))
            counts["MiB"] += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4 // 1024
    return counts


@pytest.mark.soak
def test_half_an_hour_of_customers_and_faults_leaves_every_set_whole(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, rng: random.Random
) -> None:
    """Resources are compared between two calm minutes: the first one and the last one."""
    product_id = customers.new_product()["id"]
    acts = (customers.register, lambda: customers.describe(product_id), lambda: customers.order(product_id))
    faults, done = nemeses(stack, rng), Counter[str]()
    with load(lambda number: acts[number % 3](), RATE):
        wait_while(WARM_SECONDS)
        calm = descriptors(stack)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            began, name = time.monotonic(), rng.choice(sorted(faults))
            faults[name]()
            done[name] += 1
            wait_while(max(5.0, EACH - (time.monotonic() - began)))
        stack.heal()
        wait_while(WARM_SECONDS)
        last = descriptors(stack)
    print(done, customers.history.statuses(), calm, last)  # noqa: T201 -- shown when the test fails
    wait_quiet(stores, topics, 180)
    check_all(customers, stores, topics, start, product_id)
    assert {order["status"] for order in stores.orders(product_id)} == {"confirmed"}
    check_stock(stack)
    for what, slack in (("MiB", 1.05), ("files", 1.25), ("threads", 1.25)):  # pools fill as chance has it
        assert last[what] <= calm[what] * slack, f"{what}: {calm[what]} before, {last[what]} after"
