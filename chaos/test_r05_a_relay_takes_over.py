"""R4, R5: two workers of a service run at once; one relays, the other takes over when that one is killed or frozen."""

from __future__ import annotations

import random
import time

import pytest

from chaos.harness.checks import PRODUCT_TOPICS, check_events, check_order, repeats
from chaos.harness.child import Child
from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.load import load
from chaos.harness.quiet import wait_quiet
from chaos.harness.sizes import size
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.waiting import check_succeeded, promised, wait_until

TAKEOVER_SECONDS = promised(12.0)  # the lease lasts eight
BATCH = 200
RATE = 20


def leader(stack: Stack, stores: Stores) -> Child:
    """The worker of product_service that holds the lease, by what the workers say of themselves."""
    workers = {child.pid: child for name, child in stack.children.items() if name.startswith("product-worker")}
    found: list[Child] = []

    def look() -> list[Child]:
        states = stores.shelf["worker_states"].find({"beat": {"$gt": time.time() - 5}})
        leading = [int(s["_id"].rpartition(":")[2]) for s in states if s["parts"]["relay"].get("leader")]
        found[:] = [workers[pid] for pid in leading if pid in workers]
        return found

    wait_until(look, 30, "no worker of product_service says that it leads")
    return found[0]


def wait_other_leader(stack: Stack, stores: Stores, first: Child) -> None:
    """Wait until another one says that it leads."""
    wait_until(lambda: leader(stack, stores) is not first, 10, "the zombie leads again")


def published(topics: Topics, start: Ends) -> int:
    """Product events since the test began."""
    now = topics.ends(*PRODUCT_TOPICS)
    return sum(now.values()) - sum(end for (name, _), end in start.items() if name in PRODUCT_TOPICS)


def takeover(topics: Topics, start: Ends) -> float:
    """Seconds until events come again, after those that were on their way."""
    gap_began, last, longest = time.monotonic(), published(topics, start), 0.0
    deadline = gap_began + TAKEOVER_SECONDS + 8
    while time.monotonic() < deadline:
        count = published(topics, start)
        if count != last:
            longest, gap_began, last = max(longest, time.monotonic() - gap_began), time.monotonic(), count
            if longest > 3 or time.monotonic() > deadline - 6:
                return longest
        time.sleep(0.1)
    return max(longest, time.monotonic() - gap_began)


@pytest.mark.parametrize("fault", ["kill", pytest.param("freeze", marks=pytest.mark.quick)])
def test_the_second_worker_takes_over_and_the_first_one_s_return_loses_nothing(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, fault: str
) -> None:
    """R5: within 12 s; then the zombie wakes up and may repeat a batch, no more."""
    run(stack, customers, stores, topics, start, [fault])


def test_many_changes_of_the_leader_by_kills_and_freezes_keep_order_and_number_of_all_events(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, rng: random.Random
) -> None:
    """R4 and R5: many writers, five aggregates, the leader gone again and again."""
    run(stack, customers, stores, topics, start, [rng.choice(("kill", "freeze")) for _ in range(size(10, 20))])


def run(stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, faults: list[str]) -> None:
    """A steady stream of changes to five products while the leaders go."""
    stack.start("product-worker", copy=2)
    products = [customers.new_product() for _ in range(5)]
    with load(lambda number: customers.describe(products[number % 5]["id"]), RATE):
        for fault in faults:
            first = leader(stack, stores)
            if fault == "kill":
                first.wanted = False
                first.kill()
            else:
                first.freeze()
            seconds = takeover(topics, start)
            note("R5", f"events again {seconds:.1f} s after the {fault} of the relay")
            assert seconds > 3, "the leader was gone, and events came as before"
            assert seconds <= TAKEOVER_SECONDS, f"nothing was published for {seconds:.1f} s after the {fault}"
            if fault == "kill":
                stack.supervisor.start(first)
            else:
                first.thaw()
            if fault == "freeze":  # it says that it leads until it has looked
                wait_other_leader(stack, stores, first)
    wait_quiet(stores, topics)
    records = topics.read(*PRODUCT_TOPICS, since=start)
    ids = [product["id"] for product in products]
    stored = {str(row["_id"]): row["sequence"] for row in stores.shelf["products"].find() if str(row["_id"]) in ids}
    check_events(stored, records)
    check_order(records)
    assert repeats(records) <= BATCH * len(faults)
    described = customers.history.calls("describe")
    check_succeeded(described, customers.history.statuses("describe"))
    succeeded = sum(call.outcome == "ok" for call in described)
    assert succeeded <= sum(stored.values()) - len(products) <= len(described)
