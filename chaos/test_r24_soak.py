"""R24: half an hour of customers, with a random fault each thirty seconds; nothing is lost, doubled, stuck or leaked."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from chaos.harness.child import Child
from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.load import load
from chaos.harness.post import MAIL_CONCURRENCY, Post
from chaos.harness.quiet import wait_quiet
from chaos.harness.shelf import check_stock
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.truth import check_all
from chaos.harness.waiting import wait_until

SECONDS = 30 * 60
RATE = 20
EACH = 30
FAULT_SECONDS = 8
MAIL_IS_LOST = ("kill notification", "refuse mail")  # the mail server's answers to what is in flight then


class Nemesis:
    """Faults that end by themselves, each within FAULT_SECONDS; each asserts that it happened."""

    def __init__(self, stack: Stack, rng: random.Random) -> None:
        self.done = Counter[str]()
        self._stack, self._rng = stack, rng
        self._faults: tuple[Callable[[], str], ...] = (
            self._kill,
            self._freeze,
            self._end,
            self._kill_server,
            self._freeze_server,
            lambda: self._toxic("latency", 0.2),
            lambda: self._toxic("timeout"),
            lambda: self._toxic("reset_peer"),
            self._refuse_mail,
        )

    def strike(self) -> str:
        """Make one fault; return what was done to whom."""
        what = self._rng.choice(self._faults)()
        self.done[what] += 1
        return what

    def _child(self) -> Child:
        return self._rng.choice(list(self._stack.children.values()))

    def _server(self) -> str:
        return self._rng.choice(list(self._stack.servers))

    def _kill(self) -> str:
        victim = self._child()
        assert victim.kill()
        return f"kill {victim.name}"

    def _freeze(self) -> str:
        return self._freeze_child(self._child())

    def _freeze_child(self, victim: Child) -> str:
        victim.freeze()
        wait_while(FAULT_SECONDS)
        victim.thaw()
        return f"freeze {victim.name}"

    def _end(self) -> str:
        victim = self._child()
        victim.stop()
        assert victim.returncode == 0, f"{victim.name} ended with {victim.returncode}"
        self._stack.supervisor.start(victim)
        return f"end {victim.name}"

    def _kill_server(self) -> str:
        name = self._server()
        assert self._stack.servers[name].child.kill()
        return f"kill {name}"

    def _freeze_server(self) -> str:
        return self._freeze_child(self._stack.servers[self._server()].child)

    def _toxic(self, kind: str, value: float = 0.0) -> str:
        name = self._server()
        proxy = self._stack.servers[name].proxy
        before = sum(proxy.counts.values())
        with proxy.toxic(kind, value):
            wait_while(FAULT_SECONDS)
        assert sum(proxy.counts.values()) > before
        return f"{kind} before {name}"

    def _refuse_mail(self) -> str:
        self._stack.mail.down()
        wait_while(FAULT_SECONDS)
        self._stack.mail.up()
        return "refuse mail"


def wait_while(seconds: float) -> None:
    """The fault lasts; clients go on."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, seconds + 5)


class Resources:
    """The most that each process with its children held at any look: resident memory, open files, threads.

    The most, and not what it holds at the end: a process that was just started again holds little.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack, self._most = stack, dict[str, Counter[str]]()

    def look(self) -> None:
        """Look at all processes that run."""
        for name, child in self._stack.children.items():
            with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
                self._most[name] = self._most.get(name, Counter()) | _held_by(child)

    def total(self) -> Counter[str]:
        """Of all processes together."""
        return sum(self._most.values(), Counter())

    def __str__(self) -> str:
        return ", ".join(f"{name} {dict(most)}" for name, most in self._most.items())


def _held_by(child: Child) -> Counter[str]:
    held: Counter[str] = Counter()
    for pid in child.family():
        held["files"] += len(os.listdir(f"/proc/{pid}/fd"))
        held["threads"] += len(os.listdir(f"/proc/{pid}/task"))
        held["MiB"] += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20
    return held


def tell(text: object) -> None:
    """Progress, for half an hour is long."""
    print(time.strftime("%H:%M:%S"), text, flush=True)  # noqa: T201


@pytest.mark.soak
def test_half_an_hour_of_customers_and_faults_leaves_every_set_whole(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, rng: random.Random
) -> None:
    """Resources are compared between the halves: in the first one the faults fill every pool and buffer, and then it is enough."""
    product_id = customers.new_product()["id"]
    acts = (customers.register, lambda: customers.describe(product_id), lambda: customers.order(product_id))
    nemesis, post = Nemesis(stack, rng), Post(stack.sink, customers.tag)
    halves = Resources(stack), Resources(stack)
    with load(lambda number: acts[number % 3](), RATE):
        for resources in halves:
            end = time.monotonic() + SECONDS / 2
            while time.monotonic() < end:
                began = time.monotonic()
                tell(nemesis.strike())
                wait_while(max(5.0, EACH - (time.monotonic() - began)))
                resources.look()
            tell(resources)
    answers = customers.history.statuses()
    note("R24", f"{sum(nemesis.done.values())} faults, {sum(answers.values()):,} requests: {dict(answers)}")
    tell(nemesis.done)
    wait_quiet(stores, topics, 180)
    check_all(customers, stores, topics, start, product_id)
    lost_answers = MAIL_CONCURRENCY * sum(nemesis.done[what] for what in MAIL_IS_LOST)
    assert post.check(topics, start, "R24") <= lost_answers
    assert {answer for answer in answers if answer.isdigit()} <= {"200", "201", "503"}
    assert {order["status"] for order in stores.orders(product_id)} == {"confirmed"}
    check_stock(stack)
    before, after = (half.total() for half in halves)
    note("R24", f"at most held by all processes: {dict(before)} in the first half, {dict(after)} in the second")
    for what, slack in (("MiB", 1.05), ("files", 1.1), ("threads", 1.1)):
        assert after[what] <= before[what] * slack, f"{what}: {halves[0]}; then {halves[1]}"
