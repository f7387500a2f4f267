"""Ours beside the plain peer and beside the ceilings, in one run: each in turn, in several rounds, and medians of the rounds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from bench import ceilings, goals, load, peers, pipeline, process_groups
from bench.load import Load
from bench.process_groups import SHOWN
from bench.report import Cell, Report, Row, Table
from bench.request import Request
from bench.routes import Route
from deploy.local.console import step
from tests.shop import Shop

DECIDED_SECONDS = 10.0
"""Orders of a load that are decided later than this after it were not carried, only accepted."""


@dataclass
class Rounds:
    """What was measured of one route: one entry a round. `cpu`: ms for each request, by group. `decided`: seconds."""

    route: Route
    ours: list[Load] = field(default_factory=list)
    theirs: list[Load] = field(default_factory=list)
    cpu: list[Mapping[str, float]] = field(default_factory=list)
    peer_cpu: list[float] = field(default_factory=list)
    decided: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Our requests a second."""
        return statistics.median(found.per_second for found in self.ours)

    @property
    def peer_rate(self) -> float:
        """Those of the peer."""
        return statistics.median(found.per_second for found in self.theirs)

    @property
    def ratio(self) -> float | None:
        """Ours to the peer's; None when the peer answered nothing in a short round."""
        return self.rate / self.peer_rate if self.peer_rate else None

    @property
    def middle(self) -> Load:
        """The round with our median rate, for the latencies."""
        return sorted(self.ours, key=lambda found: found.per_second)[len(self.ours) // 2]

    def cpu_of(self, group: str) -> float:
        """The median of its milliseconds for each request."""
        return statistics.median(spent[group] for spent in self.cpu)

    def rows(self) -> Iterator[Row]:
        """The lines of its goals."""
        late = max(self.decided, default=0.0)
        fault = f"decided {late:.0f} s after the load" if late > DECIDED_SECONDS else ""
        note = f"{self.rate:,.0f}/s to {self.peer_rate:,.0f}/s"
        if self.decided:
            note += f", all decided {late:.1f} s after the load at most"
        yield goals.row(goals.ratio_name(self.route.name), self.ratio, note=note, fault=fault)
        p50, p99 = self.middle.p50, self.middle.p99
        ratio = p99 / p50 if p50 and p99 else None
        shown = f"p50 {p50 or 0:.1f} ms, p99 {p99 or 0:.1f} ms, {load.CONNECTIONS} connections"
        yield goals.row(goals.tail_name(self.route.name), ratio, note=shown)

    def line(self, ceiling: float | None) -> list[Cell]:
        """The line of the table of routes."""
        cpu: list[Cell] = [self.cpu_of(group) for group in SHOWN]
        shares: list[Cell] = [self.ratio, self.rate / ceiling * 100 if ceiling else None]
        times: list[Cell] = [self.middle.p50, self.middle.p99]
        return [self.route.name, self.rate, self.peer_rate, *shares, *cpu, statistics.median(self.peer_cpu), *times]


def measure(shop: Shop, peer: peers.Peer, routes: Sequence[Route], report: Report) -> None:
    """Add the lines of the goals of these routes, each when it is measured, and two tables: the routes, and the ceilings."""
    with ceilings.running() as urls:
        found = {name: _ceiling(name, Request(url), report.rounds, report.seconds) for name, url in urls.items()}
    note = "Under the services' own gunicorn settings."
    report.tables.append(
        Table("Ceilings", ["a view that does nothing", "/s"], [[n, rate] for n, rate in found.items()], note)
    )
    columns = ["route", "ours/s", "peer/s", "ratio", "% of ceiling"]
    columns += [f"{group} ms" for group in SHOWN] + ["peer's service ms", "p50 ms", "p99 ms"]
    note = "CPU ms are those of one request, by group of processes, without the load's. The ceiling is that of the framework."
    lines: list[list[Cell]] = []
    report.tables.append(Table("Routes", columns, lines, note))
    for route in routes:
        measured = _measure_route(shop, peer, route, report.rounds, report.seconds)
        report.add(*measured.rows())
        lines.append(measured.line(found.get(route.ceiling)))


def _ceiling(name: str, request: Request, rounds: int, seconds: int) -> float:
    with step(f"ceiling: {name}"):
        load.warm_up(request)
        return statistics.median(load.run(request, max(1, seconds // 2)).per_second for _ in range(rounds))


def _measure_route(shop: Shop, peer: peers.Peer, route: Route, rounds: int, seconds: int) -> Rounds:
    found = Rounds(route)
    for number in range(1, rounds + 1):
        with step(f"{route.name}, round {number} of {rounds}"):
            _measure_ours(shop, found, seconds)
            load.warm_up(route.peers)
            before = process_groups.seconds_of(peer.pids[route.service])
            found.theirs.append(load.run(route.peers, seconds))
            spent = process_groups.seconds_of(peer.pids[route.service]) - before
            found.peer_cpu.append(spent * 1000 / max(1, found.theirs[-1].requests))
    return found


def _measure_ours(shop: Shop, found: Rounds, seconds: int) -> None:
    route = found.route
    with pipeline.held(shop, *pipeline.WORKERS) if route.held else nullcontext():
        load.warm_up(route.ours)
        with _cpu(shop, found.cpu, lambda: found.ours[-1].requests):
            found.ours.append(load.run(route.ours, seconds))
    if route.places_orders:
        found.decided.append(pipeline.wait_decided(shop))
    if route.ours.method != "GET":
        pipeline.wait_handled(shop)  # else our workers would share the cores with the peer


@contextmanager
def _cpu(shop: Shop, found: list[Mapping[str, float]], count: Callable[[], int]) -> Iterator[None]:
    before = process_groups.read(shop)
    yield
    found.append(process_groups.per_event(before, process_groups.read(shop), count()))
