"""Latencies of our routes in the open loop, each at a rate that it carries, beside those of a view that does nothing."""

from __future__ import annotations

from collections.abc import Sequence

from bench import ceilings, open_loop, pipeline
from bench.open_loop import OpenLoad
from bench.report import Cell, Table
from bench.request import Request
from bench.routes import Route
from deploy.local.console import step
from tests.shop import Shop

FLOOR_RATES = (20, 100, 300)


def measure(shop: Shop, routes: Sequence[Route], *, seconds: int) -> Table:
    """A line for each route whose workers run, and for the floor of the client at several rates."""
    rows: list[list[Cell]] = []
    with ceilings.running("WSGI") as urls:
        for rate in FLOOR_RATES:
            rows.append(_line("a WSGI view that does nothing", open_loop.run(Request(urls["WSGI"]), rate, seconds)))
    for route in routes:
        if route.held:
            continue
        with step(f"{route.name}, open loop at {route.pace}/s"):
            found = open_loop.run(route.ours, route.pace, seconds)
            if route.ours.method != "GET":
                pipeline.wait_handled(shop)
        rows.append(_line(route.name, found))
    columns = [
        "route",
        "rate /s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "longest ms",
        "failed",
        "by status",
        "client late, p99 ms",
    ]
    note = (
        "A constant rate; each latency counts from the moment when its request was due. The first lines are the client's floor."
        " Status 0 is a broken connection."
    )
    return Table("Open loop", columns, rows, note)


def _line(name: str, found: OpenLoad) -> list[Cell]:
    statuses = ", ".join(f"{status}: {count}" for status, count in found.statuses.items() if not status.startswith("2"))
    times: list[Cell] = [found.p50, found.p95, found.p99, found.longest]
    return [name, found.rate, *times, float(found.failed), statuses, found.late_p99]
