"""R13, R14: a process that is told to end takes no request along; one that is killed is missed for seconds."""

from __future__ import annotations

import time
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
from chaos.harness.waiting import promised, wait_until

RATE = 50
IDLE_SECONDS, LOADED_SECONDS = promised(10.0), promised(30.0)
KILLED_SECONDS, LEFT_SECONDS = promised(15.0), promised(3.0)
SPREAD = 9  # orders that hit all three partitions of a topic, almost certainly


def balanced(stack: Stack, name: str, number: int, method: str, path: str, body: object, token: str) -> Answer:
    """A call as a load balancer makes it: to the instances in turn, to the other one where nobody listens."""
    copies = [name, f"{name}-2"][:: 1 if number % 2 else -1]
    for copy in copies:
        answer = stack.target(copy).call(method, path, body, token)
        if answer.error != "ConnectionRefusedError":
            return answer
    return answer


@pytest.mark.parametrize("name", ["product-web", pytest.param("order-web", marks=pytest.mark.quick), "user-web"])
def test_a_rolling_restart_of_two_instances_fails_no_request(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, name: str
) -> None:
    """R13: SIGTERM for one after the other under 50 requests a second."""
    stack.start(name, copy=2)
    stack.wait_ready(f"{name}-2")
    path, token = {"product-web": ("/products", ""), "order-web": ("/orders", customers.buyer)}.get(
        name, ("/users/me", customers.buyer)
    )
    record = customers.history.record
    with load(lambda n: record("read", "", lambda: balanced(stack, name, n, "GET", path, None, token)), RATE):
        for copy in (name, f"{name}-2"):
            child = stack.children[copy]
            pid = child.pid
            assert child.stop() <= LOADED_SECONDS
            assert child.returncode == 0
            stack.supervisor.start(child)
            stack.wait_ready(copy)
            assert child.pid != pid
    reads = customers.history.calls("read")
    assert len(reads) > RATE
    note("R13", f"rolling restart of {name}: {len(reads)} requests, {sum(c.outcome != 'ok' for c in reads)} failed")
    assert {call.outcome for call in reads} == {"ok"}, customers.history.statuses("read")


@pytest.mark.parametrize("name", ["user-web", "order-worker", "product-worker", "notification"])
def test_an_idle_process_ends_within_ten_seconds(stack: Stack, start: Ends, name: str) -> None:
    """R13."""
    child = stack.children[name]
    assert child.stop() <= IDLE_SECONDS
    assert child.returncode == 0


def test_a_consumer_that_leaves_is_replaced_within_three_seconds(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """R13: two instances of notification_service share the partitions; one goes."""
    product_id = customers.new_product()["id"]
    stack.start("notification", copy=2)
    stack.wait_ready("notification-2")
    wait_quiet(stores, topics)
    first = stack.children["notification"]
    first.stop()
    assert first.returncode == 0
    began, before = time.monotonic(), len(stack.sink.to(customers.buyer_email))
    place(customers, product_id)
    wait_until(lambda: len(stack.sink.to(customers.buyer_email)) >= before + SPREAD, 30)
    seconds = time.monotonic() - began
    note("R13", f"a consumer that left was replaced after {seconds:.1f} s")
    assert seconds <= LEFT_SECONDS


@pytest.mark.parametrize("name", ["notification", "product-worker", "order-worker"])
def test_events_are_handled_again_within_fifteen_seconds_of_a_kill(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, name: str
) -> None:
    """R14: a killed member's partitions go to the next one when its session has ended."""
    product_id = customers.new_product()["id"]
    email = customers.buyer_email
    effects: dict[str, Callable[[], int]] = {
        "notification": lambda: sum(m.subject.startswith("Order Confirmation") for m in stack.sink.to(email)),
        "worker": lambda: sum(order["status"] == "confirmed" for order in stores.orders(product_id)),
    }
    place(customers, product_id)
    wait_quiet(stores, topics)
    began = time.monotonic()
    stack.children[name].kill()
    place(customers, product_id)
    effect = effects[name if name in effects else "worker"]
    wait_until(lambda: effect() >= 2 * SPREAD, 60, effect)
    seconds = time.monotonic() - began
    note("R14", f"events handled again {seconds:.1f} s after the kill of {name}")
    assert seconds <= KILLED_SECONDS


def place(customers: Customers, product_id: str) -> None:
    """Orders for all partitions."""
    for _ in range(SPREAD):
        assert customers.order(product_id).status == 201
