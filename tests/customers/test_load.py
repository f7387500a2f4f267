"""The numbers of `make load`, and its open rate."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from deploy.customers import shop as module
from deploy.customers.load import Load, Outcome, read_numbers
from deploy.customers.mailbox import Mailbox
from deploy.customers.shop import Shop
from deploy.local.errors import LocalError
from deploy.local.probe import Answer


@pytest.mark.parametrize(
    ("arguments", "numbers"), [([], (20, 60)), (["RATE=5"], (5, 60)), (["SECONDS=7", "RATE=200"], (200, 7))]
)
def test_the_numbers_have_defaults(arguments: list[str], numbers: tuple[int, int]) -> None:
    assert read_numbers(arguments) == numbers


@pytest.mark.parametrize(
    "argument", ["RATE=0", "RATE=201", "RATE=-5", "RATE=many", "RATE=", "SECONDS=9999", "X=1", "20"]
)
def test_other_numbers_are_an_error(argument: str) -> None:
    with pytest.raises(LocalError, match="RATE"):
        read_numbers([argument])


def test_a_slow_answer_holds_up_no_other_journey_and_counts_from_when_it_was_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free, seen, lock = threading.Event(), [], threading.Lock()

    def call(_port: int, method: str, *_: Any) -> Answer:
        if method == "GET":
            return Answer(200, b"{}")
        with lock:
            seen.append(time.monotonic())
            if len(seen) == 20:
                free.set()  # all have begun, and none is answered yet
        assert free.wait(60)
        return Answer(201, b'{"orderId": "o1"}')

    monkeypatch.setattr(module, "call", call)
    shop = Shop({"product_service": 1, "order_service": 2}, Mailbox(0))
    customers = Load(shop, ("", ""))
    customers._tokens, customers._products = ["t"], [{"id": "p"}]
    customers.run(20, 1)
    assert len(customers.outcome.seconds) == 20
    assert max(customers.outcome.seconds) >= 0.9  # the first one waited for the last
    assert customers.outcome.last_order == ("o1", "t")


def test_refusals_are_shown_by_their_code() -> None:
    outcome = Outcome(seconds=[0.1] * 10, refused={"503 unavailable": 2})
    assert outcome.line() == "10 orders, 50 % in 100 ms, 95 % in 100 ms, 2 times 503 unavailable"
    assert Outcome().line() == "0 orders, no order yet"
