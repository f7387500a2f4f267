"""R3: an event is on its topic, and a mail at the mail server, soon after the change was committed."""

from __future__ import annotations

import datetime

from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.load import load
from chaos.harness.quiet import wait_quiet
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Record, Topics

RATE = 20
SECONDS = 20
ON_TOPIC_P50, ON_TOPIC_P99, MAILED_P95 = 0.15, 0.5, 2.0


def test_events_are_published_and_mailed_within_their_deadlines_at_twenty_orders_a_second(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """Commit → topic p50 150 ms, p99 500 ms; commit → mail p95 2 s."""
    product_id = customers.new_product()["id"]
    with load(lambda _: customers.order(product_id), RATE) as clients:
        clients.wait(RATE * SECONDS)
    wait_quiet(stores, topics)
    delays = sorted(on_topic_after(record) for record in topics.read("order-placed", since=start))
    assert len(delays) >= RATE * SECONDS
    note("R3", f"commit → topic p50 {percentile(delays, 50) * 1000:.0f} ms, p99 {percentile(delays, 99) * 1000:.0f} ms")
    assert percentile(delays, 50) <= ON_TOPIC_P50, percentile(delays, 50)
    assert percentile(delays, 99) <= ON_TOPIC_P99, percentile(delays, 99)
    placed = {
        order["id"]: order["created_at"].replace(tzinfo=datetime.UTC).timestamp() for order in stores.orders(product_id)
    }
    mails = [m for m in stack.sink.to(customers.buyer_email) if m.subject.startswith("Order Confirmation")]
    assert len(mails) == len(placed)
    seconds = sorted(mail.at - placed[mail.subject.rpartition("#")[2]] for mail in mails)
    note("R3", f"commit → mail p95 {percentile(seconds, 95) * 1000:.0f} ms")
    assert percentile(seconds, 95) <= MAILED_P95, percentile(seconds, 95)


def on_topic_after(record: Record) -> float:
    """Seconds from the event's own time to the broker's acknowledgement: producers stamp a message when they send it."""
    made = datetime.datetime.fromisoformat(record.headers["ce_time"].decode())
    return record.timestamp_ms / 1000 - made.timestamp()


def percentile(values: list[float], percent: int) -> float:
    """Of sorted values."""
    return values[min(len(values) - 1, len(values) * percent // 100)]
