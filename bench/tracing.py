"""What traces cost: the CPU of the pipeline with OpenTelemetry at 10 %, beside that without, in turn."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from bench import goals, pace, pipeline, process_groups
from bench.collector import Collector
from bench.process_groups import SHOWN
from bench.report import Cell, Row, Table
from bench.shop import Data
from deploy.local.console import step
from deploy.local.errors import LocalError
from tests.free_ports import pick_free
from tests.shop import Shop

ORDERS, PACE = 400, 40.0
WARM_UP = 60
RATIO = "0.1"


def measure(shop: Shop, data: Data, restart: Callable[[dict[str, str]], None], rounds: int) -> tuple[Row, Table]:
    """`restart`: starts the stack again with these variables. It ends without traces."""
    (port,) = pick_free(1)
    collector = Collector(port)
    collector.start()
    settings = {
        "off": {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        "on": {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", "OTEL_TRACES_SAMPLER_ARG": RATIO},
    }
    costs: dict[str, list[dict[str, float]]] = {"off": [], "on": []}
    for number in range(1, rounds + 1):
        for name, variables in settings.items():
            with step(f"traces {name}, round {number} of {rounds}"):
                restart(variables)
                costs[name].append(_cost_of_orders(shop, data))
    restart(settings["off"])
    if not collector.requests:
        raise LocalError("no spans came to the collector: is requirements/otel.txt installed?")
    totals = {name: statistics.median(sum(spent.values()) for spent in found) for name, found in costs.items()}
    lines: list[list[Cell]] = [
        [f"traces {name}", *(statistics.median(one[group] for one in found) for group in SHOWN), totals[name]]
        for name, found in costs.items()
    ]
    note = f"{totals['off']:.1f} and {totals['on']:.1f} ms an order, medians of {rounds}; {collector.requests} batches of spans"
    table = Table(
        f"Traces: CPU of one order at {PACE:.0f}/s", ["", *(f"{group} ms" for group in SHOWN), "all ms"], lines
    )
    return goals.row(goals.TRACING, (totals["on"] / totals["off"] - 1) * 100, note=note), table


def _cost_of_orders(shop: Shop, data: Data) -> dict[str, float]:
    """Milliseconds of CPU for each order, until its mails are sent, by group of processes."""
    pace.place(shop, data, WARM_UP, PACE)
    pipeline.wait_handled(shop)
    before = process_groups.read(shop)
    pace.place(shop, data, ORDERS, PACE)
    pipeline.wait_handled(shop)
    return process_groups.per_event(before, process_groups.read(shop), ORDERS)
