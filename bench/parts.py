"""The parts of a run, in their order. Each takes the run's stage, and adds its figures to the report."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench import accounts, compare, desk, goals, load, mails, memory, open_rates, pace, peers, pipeline, slow, tracing
from bench.percentiles import percentile
from bench.report import Report, Row, Table
from bench.request import Request
from bench.routes import all_routes, chosen
from bench.stage import Stage
from deploy.local.console import step
from deploy.local.errors import LocalError, NotReady
from deploy.local.probe import call
from deploy.local.supervision.waiting import until_ready
from tests.shop import Shop

REGISTRATIONS = 40
MAIL_SECONDS = 20.0
MEMORY_LOAD_SECONDS = 5


@dataclass(frozen=True)
class Run:
    """What a part needs. `words`: those of the chosen routes; none: all."""

    stage: Stage
    report: Report
    words: tuple[str, ...] = ()

    @property
    def rounds(self) -> int:
        return self.report.rounds

    @property
    def seconds(self) -> int:
        return self.report.seconds


@dataclass(frozen=True)
class Part:
    """`minutes`: about, of a whole run."""

    name: str
    what: str
    minutes: float
    measure: Callable[[Run], None]


def _start(run: Run) -> None:
    """The second start, with nothing to install and data in place; and registrations until their mail."""
    stage = run.stage
    stage.use_catcher()
    stage.down()
    with step("starting again, warm"):
        run.report.add(Row("warm `make up`", stage.up(), "s", 60, at_most=True))
    with step(f"{REGISTRATIONS} registrations, each until its mail"):
        run.report.add(*_registrations(stage.shop))


def _memory(run: Run) -> None:
    """With the mail catcher, which belongs to the local stack, after a load of every kind."""
    stage = run.stage
    stage.use_catcher()
    data, shop = stage.data(), stage.shop
    requests = [
        Request(shop.url("product", "/products?limit=100")),
        Request(shop.url("order", "/orders?limit=20"), "GET", data.customer),
        Request(shop.url("user", "/login"), "POST", body=data.credentials),
        pipeline.new_order(shop, data),
    ]
    with step("a load of every kind"):
        for request in requests:
            load.run(request, MEMORY_LOAD_SECONDS)
        pipeline.wait_handled(shop)
    sizes = memory.measure(shop.state)
    run.report.add(goals.row(goals.MEMORY, sum(sizes.values())))
    run.report.tables.append(Table("Memory", ["process", "MiB"], [[name, size] for name, size in sizes.items()]))


def _routes(run: Run) -> None:
    """Each route beside the plain peer, and the ceilings."""
    stage = run.stage
    stage.use_sink()
    data, shop = stage.data(), stage.shop
    with step("installing the peer"):
        peers.install()
    with peers.running(shop) as peer:
        routes = chosen(all_routes(shop, data, peer), run.words)
        compare.measure(shop, peer, routes, run.report)
        run.report.tables.append(open_rates.measure(shop, routes, seconds=run.seconds))


def _pipeline(run: Run) -> None:
    """What waits behind the requests, and how quickly it is worked off."""
    stage = run.stage
    sink = stage.use_sink()
    data = stage.data()
    with step("orders at a steady pace"):
        rows, table = pace.measure(stage.shop, data, sink)
    run.report.add(*rows)
    run.report.tables.append(table)
    with step("events and orders that waited"):
        run.report.add(*pipeline.measure_backlogs(stage.shop, data, run.seconds))
    with step("orders, until both mails of each are taken"):
        run.report.add(pipeline.measure_sustained(stage.shop, data, sink, 2 * run.seconds))
    with step("mails that waited"):
        run.report.add(*pipeline.measure_mail_servers(stage.shop, data, sink))


def _accounts(run: Run) -> None:
    """What signing in costs, what guessing does not bring, and what slow clients cost the others."""
    run.stage.use_sink()
    with step("accounts"):
        run.report.add(*accounts.measure(run.stage.shop))
    with step("slow clients"):
        run.report.add(slow.measure(run.stage.shop, f"/products/{run.stage.data().product['id']}"))


def _tracing(run: Run) -> None:
    """CPU of the pipeline with traces and without."""
    run.stage.use_sink()
    row, table = tracing.measure(run.stage.shop, run.stage.data(), run.stage.restart, run.rounds)
    run.report.add(row)
    run.report.tables.append(table)


def _desk(run: Run) -> None:
    """The desk's pages over 100,000 orders. It fills the shop, so it is the last part that uses it."""
    run.stage.use_sink()
    with step(f"the desk, with {desk.ORDERS:,} orders more"):
        run.report.add(*desk.measure(run.stage.shop))


def _mails(run: Run) -> None:
    """The mail part alone."""
    run.stage.down()
    with step("mails, without the rest of the shop"):
        rates = [mails.run(mails.MAILS) for _ in range(run.rounds)]
    rate, cpu = sorted(rates)[len(rates) // 2]
    run.report.add(goals.row(goals.MAILS, rate, note=f"{cpu * 1000:.2f} ms CPU of notification_service a mail"))
    with step("mails, two members of the group"):
        rate, cpu = mails.run(mails.MAILS, members=2)
    run.report.add(Row("mails, two members of the group", rate, "/s", note=f"{cpu * 1000:.2f} ms CPU of both a mail"))


PARTS = (
    Part("start", "a warm start, and registrations until their mail", 1, _start),
    Part("memory", "the resident memory after a load", 0.5, _memory),
    Part("routes", "each route beside the peer and the ceilings, closed and open loop", 12, _routes),
    Part("pipeline", "what happens behind the requests: decisions, mails, latencies", 1.5, _pipeline),
    Part("accounts", "what signing in costs; slow clients", 0.5, _accounts),
    Part("tracing", "the cost of traces", 2, _tracing),
    Part("desk", "the pages for staff, with 100,000 orders", 1, _desk),
    Part("mails", "the mail part alone", 1.5, _mails),
)


def _registrations(shop: Shop) -> list[Row]:
    """Milliseconds from the request of a registration to its mail in the catcher."""
    times = [_time_of_mail(shop) for _ in range(REGISTRATIONS)]
    return [
        Row("registration → mail, p50", percentile(times, 50), "ms", 300, at_most=True),
        Row("registration → mail, p95", percentile(times, 95), "ms"),
    ]


def _time_of_mail(shop: Shop) -> float:
    mailbox, name = shop.mailbox(), f"bench.{secrets.token_hex(6)}"
    email = f"{name}@example.com"

    def look() -> None:
        if not mailbox.find(email):
            raise NotReady(f"no mail came to a new customer in {MAIL_SECONDS:.0f} s")

    started = time.monotonic()
    _register(shop, name, email)
    until_ready(look, MAIL_SECONDS, every=0.01)
    return (time.monotonic() - started) * 1000


def _register(shop: Shop, username: str, email: str) -> None:
    body = {"username": username, "email": email, "password": secrets.token_urlsafe(12)}
    answer = call(int(shop.env["USER_SERVICE_PORT"]), "POST", "/register", body)
    if answer.status != 201:
        raise LocalError(f"POST /register answers {answer.status}: {answer.body[:200]!r}")
