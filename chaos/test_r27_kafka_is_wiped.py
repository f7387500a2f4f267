"""R27: Kafka loses all its data. After the steps of docs/operations.md the shop works, and no mail came twice."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.load import load
from chaos.harness.post import Post
from chaos.harness.quiet import wait_quiet
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Topics
from chaos.harness.waiting import wait_until
from chaos.test_r25_a_restore_is_followed import confirmed
from chaos.test_r26_clocks import Person

DOCUMENT = Path(__file__).parents[1] / "docs" / "operations.md"
TITLE = "Kafka's data is lost"
WORKERS = ("user-worker", "product-worker", "order-worker")
CLIENTS = (*WORKERS, "notification")
RATE = 10


class Operator:
    """Types the documented commands, and waits where they say so."""

    def __init__(self, stack: Stack, stores: Stores) -> None:
        self._stack, self._stores = stack, stores

    def follow(self) -> None:
        """Type all commands of the section."""
        block = re.search(r"```sh\n(.*?)```", DOCUMENT.read_text().split(f"### {TITLE}\n")[1], re.DOTALL)
        assert block
        for line in block[1].splitlines():
            words = line.partition("#")[0].split()
            assert words[:2] == ["docker", "compose"], line
            before = self._checked_at()
            self._type(words[2:])
            if "outbox_pending" in line:
                wait_until(lambda: not self._stores.outbox()["user"], 60, self._stores.outbox)
            if "reconcile has a new time" in line:
                seconds = self._stores.round_seconds()
                wait_until(lambda: self._checked_at() not in (None, before), seconds, "no round was compared")  # noqa: B023

    def _type(self, words: list[str]) -> None:
        match words:
            case ["stop", *names]:
                for name in names:
                    self._stack.children[name].stop()
            case ["up", "-d", "kafka", *topics]:
                for name in topics:
                    self._run(name.removesuffix("-topics"), ["topics"])
            case ["up", "-d", *names]:
                for name in names:
                    self._stack.supervisor.start(self._stack.children[name])
            case ["run", "--rm", name, *command]:
                self._run(name.removesuffix("-web"), command)
            case _:
                raise AssertionError(words)

    def _run(self, service: str, words: list[str]) -> None:
        name = "notification" if service == "notification" else f"{service}-worker"
        argv, env = [sys.executable, "-m", f"{service}_service", *words], dict(self._stack.children[name].env)
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, (words, done.stdout, done.stderr)

    def _checked_at(self) -> object:
        rows = self._stores.sql("SELECT checked_at FROM reconciliation_state")
        return rows[0]["checked_at"] if rows else None


@pytest.fixture
def operator(stack: Stack, stores: Stores) -> Operator:
    return Operator(stack, stores)


def mails_page(stack: Stack, token: str) -> int:
    """The status of a page of notification_service for staff."""
    return stack.target("notification").get("/emails", token).status


def revoked_staff(stack: Stack, customers: Customers) -> str:
    """A token of staff that notification_service has accepted, and refuses since the logout."""
    get = stack.settings.get
    staff = Person(customers, get("STAFF_EMAIL"), get("STAFF_PASSWORD"))
    assert mails_page(stack, staff.token) == 200
    staff.log_out()
    wait_until(lambda: mails_page(stack, staff.token) == 401, 10, "the token is not refused")
    return staff.token


def unassigned(stack: Stack) -> list[str]:
    """The consumers without a partition, by the health of all services."""
    found = []
    for name in ("user-web", "product-web", "order-web", "notification"):
        for check in stack.target(name).get("/health").json["checks"].values():
            parts = check.get("parts", {})
            found += [f"{name} {part}: {status}" for part, status in parts.items() if status.get("assigned") == 0]
    return found


def check_shop(stack: Stack, customers: Customers, stores: Stores, topics: Topics, revoked: str) -> None:
    """The shop works as before."""
    wait_until(lambda: not unassigned(stack), 90, lambda: unassigned(stack))
    assert mails_page(stack, revoked) == 401
    get = stack.settings.get
    assert mails_page(stack, Person(customers, get("STAFF_EMAIL"), get("STAFF_PASSWORD")).token) == 200
    post, product_id = Post(stack.sink, customers.tag), customers.new_product()["id"]
    known = set(post.counts())
    confirmed(customers, product_id, 1)
    wait_until(lambda: len(set(post.counts()) - known) == 2, 60, "order placed, order confirmed")
    wait_quiet(stores, topics)
    assert stores.sql("SELECT COUNT(*) AS n FROM stock_differences")[0]["n"] == 0


def repeated(stack: Stack, customers: Customers) -> list[str]:
    """The subjects of the mails that came more than once."""
    twice = {mail for mail, count in Post(stack.sink, customers.tag).counts().items() if count > 1}
    return [mail.subject for mail in list(stack.sink.mails) if mail.id in twice]


def test_kafka_is_wiped_while_the_shop_is_stopped(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, operator: Operator
) -> None:
    product_id = customers.new_product()["id"]
    decided = confirmed(customers, product_id, 2)
    cancelled = confirmed(customers, product_id, 3)
    assert customers.at("order").call("POST", f"/orders/{cancelled}/cancel", {}, customers.buyer).status == 200
    revoked = revoked_staff(stack, customers)
    wait_quiet(stores, topics)
    sent = Post(stack.sink, customers.tag).counts()
    for name in CLIENTS:
        stack.children[name].stop()
    waiting = customers.new_name("waiting")
    assert customers.register(waiting).status == 201  # its event and its mails wait in the outbox
    stack.kafka.wipe(stack.supervisor)

    operator.follow()
    check_shop(stack, customers, stores, topics, revoked)
    assert repeated(stack, customers) == []
    assert sent.keys() < Post(stack.sink, customers.tag).counts().keys()
    assert stack.sink.to(f"{waiting}@example.com")
    stock = next(row["stock"] for row in stores.shelf["products"].find() if str(row["_id"]) == product_id)
    assert stock == 10**6 - 2, decided
    note("R27", f"Kafka wiped in a stopped shop: {sum(sent.values())} mails of before, none again")


def test_kafka_is_wiped_while_the_shop_runs(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, operator: Operator
) -> None:
    product_id = customers.new_product()["id"]
    revoked = revoked_staff(stack, customers)
    wait_quiet(stores, topics)
    logs = {name: stack.children[name].log.stat().st_size for name in WORKERS}

    def knows_of_another(name: str) -> bool:
        return "another Kafka cluster" in stack.children[name].text(since=logs[name])

    with load(lambda number: customers.order(product_id), RATE) as clients:
        clients.wait(5 * RATE)
        pending = {row["aggregate_id"] for row in stores.sql("SELECT aggregate_id FROM pending_orders")}
        stack.kafka.wipe(stack.supervisor)
        wait_until(lambda: all(map(knows_of_another, WORKERS)), 120, lambda: [*filter(knows_of_another, WORKERS)])
        assert mails_page(stack, revoked) == 401
        clients.wait(RATE)
    placed = customers.history.calls("order")
    assert {call.answer.status for call in placed} == {201}, customers.history.statuses("order")

    operator.follow()
    wait_until(lambda: not stores.pending(), 300, stores.pending)
    check_shop(stack, customers, stores, topics, revoked)
    orders = stores.orders(product_id)
    assert {order["status"] for order in orders} == {"confirmed"}
    again = repeated(stack, customers)
    assert len(again) // 2 <= len(pending) + 2 * RATE  # those that were undecided, or placed while Kafka was killed
    note(
        "R27", f"Kafka wiped under load: {len(orders)} orders, all decided; {len(again) // 2} mails came a second time"
    )
