"""R8, R9: a mail server that is away or slow delays mails; it loses none, buries none and moves no partition."""

from __future__ import annotations

import time

import pytest

from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.quiet import wait_quiet
from chaos.harness.sizes import size
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.waiting import promised, wait_until
from tests.smtp_sink import Received

GROUP = "notification-service"
ORDERS = 20
RECOVERY_SECONDS = promised(90.0)
ATTEMPT_SECONDS = 20.0


def dead_letters(topics: Topics, start: Ends) -> int:
    """Messages that notification_service has given up since the test began."""
    names = [f"{topic}.{GROUP}.dlq" for topic in topics.groups()[GROUP]]
    return len(topics.read(*names, since=start))


def confirmations(stack: Stack, customers: Customers) -> list[Received]:
    """The mails about placed orders to the test's buyer."""
    return [mail for mail in stack.sink.to(customers.buyer_email) if mail.subject.startswith("Order Confirmation")]


def reported(stack: Stack) -> str:
    """What notification_service says of its mail server."""
    return str(stack.target("notification").get("/health").json["checks"]["smtp"]["status"])


def place_orders(customers: Customers) -> None:
    product_id = customers.new_product()["id"]
    for _ in range(ORDERS):
        assert customers.order(product_id).status == 201


@pytest.mark.quick
def test_mails_wait_while_the_mail_server_refuses_connections(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """R8, five seconds of it."""
    refused(stack, customers, stores, topics, start, seconds=5)


def test_mails_wait_for_long_while_the_mail_server_refuses_connections(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """R8: forty seconds, or ten minutes as the goal says."""
    refused(stack, customers, stores, topics, start, seconds=size(40, 600))


def refused(stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, *, seconds: float) -> None:
    """Nobody listens; then somebody does."""
    notification, target = stack.children["notification"], stack.target("notification")
    wait_until(lambda: reported(stack) == "ok", 20)
    pid, logged = notification.pid, notification.log.stat().st_size
    stack.mail.down()
    place_orders(customers)
    wait_until(lambda: reported(stack) == "down", 30)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert target.get("/health/live").status == 200
        assert target.get("/health/ready").status == 200
        time.sleep(0.5)  # the pace of a prober
    assert not confirmations(stack, customers)
    stack.mail.up()
    delivered = wait_until(lambda: len(confirmations(stack, customers)) >= ORDERS, RECOVERY_SECONDS)
    note("R8", f"all mails delivered {delivered:.1f} s after the mail server was back")
    wait_quiet(stores, topics)
    assert len(confirmations(stack, customers)) == ORDERS
    assert dead_letters(topics, start) == 0
    assert notification.pid == pid
    assert "partitions assigned" not in notification.text(logged), "the group was rebalanced"


@pytest.mark.parametrize("fault", ["black-hole", "tarpit"])
def test_a_mail_server_that_stalls_ends_each_attempt_within_twenty_seconds(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, fault: str
) -> None:
    """R9: never a word, or one byte a second, at which a socket's timeout starts anew."""
    notification = stack.children["notification"]
    wait_until(lambda: reported(stack) == "ok", 20)
    pid, logged = notification.pid, notification.log.stat().st_size
    stack.mail.cut()
    kind, value = ("timeout", 0.0) if fault == "black-hole" else ("bandwidth", 1.0)
    with stack.mail.toxic(kind, value):
        place_orders(customers)
        began = time.monotonic()
        wait_until(lambda: reported(stack) == "down", ATTEMPT_SECONDS + 5)
        connections = stack.mail.counts["connections"]
        wait_until(lambda: stack.mail.counts["connections"] > connections, ATTEMPT_SECONDS + 60)
        assert time.monotonic() - began < 90
    assert stack.mail.counts["held" if fault == "black-hole" else "slowed"] > 0
    wait_until(lambda: len(confirmations(stack, customers)) >= ORDERS, RECOVERY_SECONDS)
    wait_quiet(stores, topics)
    assert len(confirmations(stack, customers)) == ORDERS
    assert dead_letters(topics, start) == 0
    assert notification.pid == pid
    assert "MAXPOLL" not in notification.text(logged)
