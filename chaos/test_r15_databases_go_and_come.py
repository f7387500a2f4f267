"""R15: a database that is restarted or frozen costs honest answers within five seconds, and no restart of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chaos.harness.customers import PASSWORD, Customers
from chaos.harness.figures import note
from chaos.harness.history import Call
from chaos.harness.http import Answer, Target
from chaos.harness.load import load
from chaos.harness.quiet import wait_quiet
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.waiting import promised, wait_until

RATE = 10
ANSWER_SECONDS = promised(5.0)
THAWED_SECONDS = promised(5.0)
RESTARTED_SECONDS = promised(2.0)
OF = {"mongo": ("user-web", "product-web"), "mysql": ("order-web",)}
WORKERS = {"mongo": ("user-worker", "product-worker"), "mysql": ("order-worker",)}


def acts(customers: Customers, product_id: str, database: str) -> list[Callable[[], Answer]]:
    """Reads and writes of the services that stand on one database."""
    record, at = customers.history.record, customers.at
    body = {"email": customers.buyer_email, "password": PASSWORD}
    if database == "mysql":
        return [
            lambda: record("read", "", lambda: at("order").get("/orders", customers.buyer)),
            lambda: customers.order(product_id),
        ]
    return [
        lambda: record("log in", "", lambda: at("user").call("POST", "/login", body)),
        lambda: record("read", "", lambda: at("product").get("/products")),
        lambda: customers.describe(product_id),
    ]


def check_answers(calls: list[Call]) -> None:
    """Each came in time, and those that were no success were 503 with Retry-After."""
    slow = [call for call in calls if call.answer.seconds > ANSWER_SECONDS]
    assert not slow, (
        f"{len(slow)} answers took over {ANSWER_SECONDS} s, the longest {max(c.answer.seconds for c in slow):.1f} s"
    )
    check_honest(calls)
    assert [call for call in calls if call.outcome != "ok"], "the database was away, and nobody noticed"


def check_honest(calls: list[Call]) -> None:
    """Those that were no success were 503 with Retry-After."""
    bad = [call for call in calls if call.outcome != "ok"]
    others = [call for call in bad if call.answer.status != 503 or "Retry-After" not in call.answer.headers]
    assert not others, [(call.kind, call.answer) for call in others[:3]]


@pytest.mark.parametrize(
    ("database", "seconds"), [("mysql", 60), ("mongo", 60), pytest.param("mongo", 8, marks=pytest.mark.quick)]
)
def test_a_frozen_database_is_answered_for_within_five_seconds_and_forgiven_within_five(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, database: str, seconds: int
) -> None:
    """SIGSTOP under load."""
    child = stack.servers[database].child
    pids, acting, product_id = prepare(stack, customers, database)
    with load(acting, RATE) as clients:
        clients.wait(2 * RATE)
        child.freeze()
        for name in OF[database]:
            wait_unready(stack.target(name))
            assert stack.target(name).get("/health/live").status == 200
        clients.wait(seconds * RATE)
        for name in OF[database]:
            live = stack.target(name).get("/health/live")
            assert live.status == 200
            assert live.seconds < ANSWER_SECONDS
        child.thaw()
        back = wait_normal(acts(customers, product_id, database), THAWED_SECONDS)
    slowest = max(call.answer.seconds for call in customers.history.calls())
    note(
        "R15",
        f"{database} frozen for {seconds} s: slowest answer {slowest:.1f} s, normal {back:.2f} s after its return",
    )
    check_answers(customers.history.calls())
    check_same(stack, pids)
    wait_quiet(stores, topics)


@pytest.mark.parametrize("database", [pytest.param("mysql", marks=pytest.mark.quick), "mongo"])
def test_a_restarted_database_is_missed_by_503_alone_and_back_at_once(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, database: str
) -> None:
    """kill -9 and a restart under load."""
    server = stack.servers[database]
    pids, acting, product_id = prepare(stack, customers, database)
    with load(acting, RATE) as clients:
        clients.wait(2 * RATE)
        server.child.wanted = False
        server.child.kill()
        clients.wait(5 * RATE)
        stack.supervisor.start(server.child)
        server.wait()
        back = wait_normal(acts(customers, product_id, database), RESTARTED_SECONDS)
    note("R15", f"{database} killed and restarted: normal {back:.2f} s after its return")
    check_answers(customers.history.calls())
    check_same(stack, pids)
    wait_quiet(stores, topics)


STEP_DOWNS = 50


def test_step_downs_of_the_primary_are_missed_by_503_alone_and_leave_no_process_without_sessions(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """50 step-downs under writes. Half of them reset the open connections too, so that new ones are made in the middle."""
    pids, _, product_id = prepare(stack, customers, "mongo")
    log_in, _, describe = acts(customers, product_id, "mongo")
    writes = (log_in, *[describe] * 5)  # a login takes half a second of a core
    admin, terms = stores.admin, set[bytes]()
    with load(lambda number: writes[number % len(writes)](), RATE) as clients:
        for number in range(STEP_DOWNS):
            clients.wait(RATE)
            admin.command("replSetStepDown", 1, secondaryCatchUpPeriodSecs=0, force=True)
            assert not admin.command("hello")["isWritablePrimary"]
            if number % 2:
                stack.mongo.proxy.cut()
            stack.mongo.wait()
            terms.add(admin.command("hello")["electionId"].binary)
        back = wait_normal([log_in, describe], 60)
    assert len(terms) == STEP_DOWNS
    calls = customers.history.calls()
    note(
        "R15",
        f"{STEP_DOWNS} step-downs: {sum(call.outcome != 'ok' for call in calls)} of {len(calls)} answered 503, "
        f"slowest answer {max(call.answer.seconds for call in calls):.1f} s, normal {back:.2f} s after the last",
    )
    # A call may meet two step-downs, so it may take longer than with one outage. Or the driver repeats it, and nobody notices.
    check_honest(calls)
    check_same(stack, pids)
    after = [act() for _ in range(20) for act in (log_in, describe)]  # every thread of every worker
    assert [answer for answer in after if answer.outcome != "ok"] == []
    wait_quiet(stores, topics)


def prepare(stack: Stack, customers: Customers, database: str) -> tuple[dict[str, int], Callable[[int], Any], str]:
    """The pids that must stay, and the load."""
    product_id = customers.new_product()["id"]
    pids = {name: stack.children[name].pid for name in (*OF[database], *WORKERS[database])}
    doing = acts(customers, product_id, database)
    return pids, lambda number: doing[number % len(doing)](), product_id


def wait_unready(target: Target) -> None:
    """Wait until it asks for no traffic."""
    wait_until(lambda: target.get("/health/ready").status == 503, 10)


def wait_normal(doing: list[Callable[[], Answer]], seconds: float) -> float:
    """Wait until every act succeeds."""
    last: list[Answer] = []

    def all_succeed() -> bool:
        last[:] = [act() for act in doing]
        return all(answer.outcome == "ok" for answer in last)

    return wait_until(all_succeed, seconds, lambda: f"not every act succeeds again: {last}")


def check_same(stack: Stack, pids: dict[str, int]) -> None:
    """No process was restarted for it."""
    assert {name: stack.children[name].pid for name in pids} == pids
