"""R2: with the broker down everything can be written, as quickly as before, and is published when it is back."""

from __future__ import annotations

import pytest

from chaos.harness.checks import ORDER_TOPICS, check_events, repeats
from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.load import load
from chaos.harness.quiet import wait_quiet
from chaos.harness.sizes import size
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.waiting import check_succeeded, promised, wait_until
from deploy.local.errors import NotReady

RATE = 20
MIB = 2**20
WEBS = ("user-web", "product-web", "order-web")
DRAIN_SECONDS = promised(30.0)
BATCH = 200


@pytest.mark.quick
def test_with_the_broker_down_every_write_succeeds(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """Ten seconds without the broker; then the backlog drains and nothing is missing. How quickly is the long test's to say."""
    run(stack, customers, stores, topics, start, seconds=10)


def test_with_the_broker_down_for_long_every_write_succeeds_as_quickly_as_before(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """Forty seconds, or ten minutes as the goal says."""
    during, usual, grown = run(stack, customers, stores, topics, start, seconds=size(40, 600))
    assert during <= 1.2 * usual, f"p95 {usual * 1000:.0f} ms with Kafka, {during * 1000:.0f} ms without"
    assert grown <= len(WEBS) * 20, f"the web processes grew by {grown:.0f} MiB"


def run(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, *, seconds: int
) -> tuple[float, float, float]:
    """Return p95 in seconds, while the broker is away and before, and by how many MiB the web processes grew."""
    product_id = customers.new_product()["id"]
    acts = (customers.register, lambda: customers.describe(product_id), lambda: customers.order(product_id))
    with load(lambda number: acts[number % 3](), RATE) as clients:
        clients.wait(min(seconds // 2, 60) * RATE)
        before, memory = customers.history.calls(), sum(stack.children[name].resident_bytes() for name in WEBS)
        stack.kafka.child.stop()
        assert stack.kafka.child.returncode is not None
        away_since = customers.history.calls()[-1].at
        clients.wait(seconds * RATE)
        with pytest.raises(NotReady):
            stack.kafka.server.check()
        grown = sum(stack.children[name].resident_bytes() for name in WEBS) - memory
    during = [call for call in customers.history.calls() if call.at > away_since]
    check_succeeded(during, customers.history.statuses())
    assert len(during) >= seconds * RATE * 0.8
    waiting = sum(stores.outbox().values())
    assert waiting >= sum(call.outcome == "ok" for call in during) * 0.9, (
        "the broker was away, and yet nothing waits for it"
    )
    stack.supervisor.start(stack.kafka.child)
    stack.kafka.wait()
    wait_until(lambda: not any(stores.outbox().values()), DRAIN_SECONDS, stores.outbox)
    wait_quiet(stores, topics)
    records = topics.read(*ORDER_TOPICS, since=start)
    check_events({order["id"]: order["sequence"] for order in stores.orders(product_id)}, records)
    assert repeats(records) <= BATCH, "more came twice than can have been on their way"
    p95 = customers.history.percentile(95, during), customers.history.percentile(95, before)
    note(
        "R2",
        f"p95 of writes {p95[1] * 1000:.0f} ms with the broker, {p95[0] * 1000:.0f} ms in {seconds} s without; "
        f"{waiting:,} events waited",
    )
    return *p95, grown / MIB
