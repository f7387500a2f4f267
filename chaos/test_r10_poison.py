"""R10: what can never be handled is put aside, byte by byte and with the reason; what lies between is handled."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from chaos.harness.customers import Customers
from chaos.harness.poison import poison
from chaos.harness.quiet import wait_quiet
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Record, Topics

READERS = {
    "user-registered": ("notification-service",),
    "order-placed": ("notification-service", "product-service"),
    "product-updated": ("order-service-catalogue",),
}
COMPACTED = ("product-updated",)
PROCESSES = ("notification", "product-worker", "order-worker")


@pytest.mark.parametrize(
    ("topic", "each"),
    [
        ("user-registered", 200),
        ("order-placed", 200),
        ("product-updated", 200),
        pytest.param("order-placed", 50, marks=pytest.mark.quick),
    ],
)
def test_malformed_events_are_put_aside_and_as_many_good_ones_between_them_handled(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, topic: str, each: int
) -> None:
    """Bad and good ones come mixed; each bad one reaches the dead letters of each group once; no process ends."""
    families = {name: sorted(stack.children[name].family()) for name in PROCESSES}
    product_id = customers.new_product()["id"]
    acts: dict[str, Callable[[], object]] = {
        "user-registered": customers.register,
        "order-placed": lambda: customers.order(product_id),
        "product-updated": lambda: customers.describe(product_id),
    }
    acts[topic]()
    wait_quiet(stores, topics)
    sample = topics.read(topic, since=start)[-1]
    bad = [record for _, record in zip(range(each), poison(sample, compacted=topic in COMPACTED), strict=False)]
    places = set()
    for record in bad:
        acts[topic]()
        places |= topics.publish([record])
    wait_quiet(stores, topics)

    originals = {(r.topic, r.partition, r.offset): r for r in topics.read(topic, since=start)}
    for group in READERS[topic]:
        letters = topics.read(f"{topic}.{group}.dlq", since=start)
        assert {origin(letter) for letter in letters} == places
        assert len(letters) == each
        for letter in letters:
            original = originals[origin(letter)]
            assert (letter.key, letter.value) == (original.key, original.value)
            assert original.headers.items() <= letter.headers.items()
            assert letter.headers["x-reason"]
    assert {name: sorted(stack.children[name].family()) for name in PROCESSES} == families
    check_good_ones(stack, customers, stores, topic, product_id)


def origin(letter: Record) -> tuple[str, int, int]:
    """Where the original lies."""
    topic, partition, offset = (
        letter.headers[f"x-origin-{name}"].decode() for name in ("topic", "partition", "offset")
    )
    return topic, int(partition), int(offset)


def check_good_ones(stack: Stack, customers: Customers, stores: Stores, topic: str, product_id: str) -> None:
    """Each good one had its effect: a mail, a decision, a version in the replica."""
    if topic == "user-registered":
        for name in customers.history.keys("register", "ok"):
            welcomes = [m for m in stack.sink.to(f"{name}@example.com") if m.subject.startswith("Welcome")]
            assert len(welcomes) == 1, name
    elif topic == "order-placed":
        orders = stores.orders(product_id)
        assert {order["tag"] for order in orders} == customers.history.keys("order", "ok")
        assert {order["status"] for order in orders} == {"confirmed"}
        placed = [m for m in stack.sink.to(customers.buyer_email) if m.subject.startswith("Order Confirmation")]
        assert len(placed) == len(orders)
    else:
        (row,) = stores.sql("SELECT version FROM catalogue_products WHERE product_id = %s", [product_id])
        assert row["version"] == 1 + len(customers.history.calls("describe", "ok"))


@pytest.mark.parametrize("field", ["email", "username"])
def test_a_line_break_in_an_address_or_a_name_reaches_no_mail(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, field: str
) -> None:
    """S10 in R10: header injection ends among the dead letters."""
    customers.register()
    wait_quiet(stores, topics)
    sample, mails = topics.read("user-registered", since=start)[-1], len(stack.sink.mails)
    data = json.loads(sample.value or b"")
    data[field] += "\r\nBcc: victim@example.com"
    changed = replace(
        sample, value=json.dumps(data).encode(), headers=sample.headers | {"ce_id": b"01ARZ3NDEKTSV4RRFFQ69G5FAV"}
    )
    topics.publish([changed])
    wait_quiet(stores, topics)
    assert [letter.value for letter in topics.read("user-registered.notification-service.dlq", since=start)] == [
        changed.value
    ]
    assert len(stack.sink.mails) == mails
