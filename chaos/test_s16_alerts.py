"""Each fault fires exactly the alerts that docs/operations.md names for it, in a real Prometheus with the shop's rules."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from chaos.harness.alerts import Alerts, documented, watching
from chaos.harness.child import Child
from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.load import load
from chaos.harness.poison import poison
from chaos.harness.quiet import wait_quiet
from chaos.harness.rules import quick_duration, quick_expression
from chaos.harness.servers import Fronted
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.waiting import wait_until

RATE = 4
FAULT_SECONDS = 100  # of quick motion: a quarter of an hour. No further alert may fire in it
FIRE_SECONDS, END_SECONDS = 180, 180
LASTING = {"ErrorBudgetBurnsFast", "ErrorBudgetBurnsSlowly", "LatencyBudgetBurnsFast", "LatencyBudgetBurnsSlowly"}
"""Their windows hold the fault for hours after its end."""
RECOVERY = {"ConsumerBehind", "OrdersDecidedSlowly", "MailsSlow"}
"""They may fire after the fault: what waited is handled in real time, and the rules wait a tenth of theirs."""
Fault = Callable[[Stack, Topics], AbstractContextManager[None]]


@contextmanager
def frozen(child: Child) -> Iterator[None]:
    child.freeze()
    yield
    child.thaw()


@contextmanager
def refusing(stack: Stack) -> Iterator[None]:
    """Nobody listens at the mail server's port."""
    stack.mail.down()
    yield
    stack.mail.up()


@contextmanager
def stopped(stack: Stack, server: Fronted) -> Iterator[None]:
    server.child.stop()
    yield
    stack.supervisor.start(server.child)
    server.wait()


@contextmanager
def poisoned(topics: Topics) -> Iterator[None]:
    """Events that nobody can read come in."""
    sample = topics.read("order-placed")[-1]
    topics.publish(record for record, _ in zip(poison(sample), range(10), strict=False))
    yield


FAULTS: dict[str, Fault] = {
    "product-worker is frozen": lambda stack, _: frozen(stack.children["product-worker"]),
    "order-worker is frozen": lambda stack, _: frozen(stack.children["order-worker"]),
    "the mail server refuses connections": lambda stack, _: refusing(stack),
    "events that can't be read": lambda _, topics: poisoned(topics),
    "Kafka is stopped": lambda stack, _: stopped(stack, stack.kafka),
    "MySQL is stopped": lambda stack, _: stopped(stack, stack.mysql),
    "MongoDB is stopped": lambda stack, _: stopped(stack, stack.mongo),
}


def test_quick_motion_shortens_windows_and_ages_but_not_latencies_and_shares() -> None:
    assert quick_duration("15m") == "90000ms"
    assert quick_expression("max(orders_oldest_pending_seconds) > 120") == "max(orders_oldest_pending_seconds) > 12"
    assert quick_expression("shop:order_mail_seconds:p95_5m > 2") == "shop:order_mail_seconds:p95_5m > 2"
    assert quick_expression("rate(a_total[6h]) > 14.4 * 0.001") == "rate(a_total[2160000ms]) > 14.4 * 0.001"


def test_the_operations_page_has_a_row_for_each_fault() -> None:
    assert documented().keys() == FAULTS.keys()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fires_exactly_the_alerts_that_the_operations_page_names(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, tmp_path: Path, fault: str
) -> None:
    """The alerts fire, no other one does while the fault lasts, and they end after it."""
    expected, product_id = documented()[fault], customers.new_product()["id"]
    wait_quiet(stores, topics)
    acts: list[Callable[[], object]] = [
        lambda: customers.order(product_id),
        lambda: customers.at("order").get("/orders?limit=1", customers.buyer),
        lambda: customers.at("product").get("/products?limit=1"),
        lambda: customers.at("user").get("/users/me", customers.buyer),
    ]
    with watching(stack, tmp_path) as alerts, load(lambda number: acts[number % len(acts)](), RATE) as clients:
        clients.wait(2 * len(acts))
        with FAULTS[fault](stack, topics):
            began = time.monotonic()
            seconds = wait_until(lambda: alerts.fired() >= expected, FIRE_SECONDS, lambda: told(alerts, expected))
            note("alerts", f"{fault}: {', '.join(sorted(expected))} within {seconds:.0f} s of quick motion")
            wait_until(lambda: time.monotonic() - began >= FAULT_SECONDS, FAULT_SECONDS + 10, every=1)
            assert alerts.fired() == expected, told(alerts, expected)
        wait_until(lambda: alerts.firing() <= LASTING, END_SECONDS, alerts.pending, every=1)
        assert alerts.fired() - RECOVERY == expected - RECOVERY, told(alerts, expected)


def told(alerts: Alerts, expected: set[str]) -> str:
    """What is told of a failure."""
    fired = alerts.fired()
    return f"missing {sorted(expected - fired)}, unexpected {sorted(fired - expected)}; now {alerts.pending()}"
