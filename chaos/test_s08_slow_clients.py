"""S8: clients that send slowly hold up no other client."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest

from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.http import Answer
from chaos.harness.stack import Stack
from chaos.harness.waiting import promised
from tests.slow_clients import SlowClients, pause_until, percentile

SECONDS, EVERY_SECONDS = 14.0, 0.2  # longer than REQUEST_SECONDS: the first slow clients end meanwhile
GOOD_SECONDS = promised(1.0)
WEBS = {
    "user-web": "/users/me",
    "product-web": "/products?limit=1",
    "order-web": "/orders?limit=1",
    "notification": "/",
}


@pytest.mark.quick
def test_beside_two_hundred_slow_connections_every_request_is_answered_within_a_second(
    stack: Stack, customers: Customers
) -> None:
    alone = ask_all(stack, customers, 3.0)
    with ExitStack() as clients:
        slow = [clients.enter_context(SlowClients(stack.target(name).port)) for name in WEBS]
        beside = ask_all(stack, customers, SECONDS)
    assert all(one.ended > 0 for one in slow), "no slow client was ended: the deadline has no effect"
    for name, answers in beside.items():
        before, after = (percentile([a.seconds for a in found], 95) for found in (alone[name], answers))
        note(
            "S8", f"{name} beside 200 slow clients: p95 {after * 1000:.0f} ms, {after / before:.1f} times that without"
        )
        assert {answer.status for answer in answers} == {200}
        assert max(answer.seconds for answer in answers) < GOOD_SECONDS


def ask_all(stack: Stack, customers: Customers, seconds: float) -> dict[str, list[Answer]]:
    """Each service's health and one of its routes, five times a second."""
    found: dict[str, list[Answer]] = {name: [] for name in WEBS}
    began = time.monotonic()
    for turn in range(int(seconds / EVERY_SECONDS)):
        pause_until(began + turn * EVERY_SECONDS)
        for name, path in WEBS.items():
            target = stack.target(name)
            found[name] += [target.get("/health"), target.get(path, customers.buyer)]
    return found
