"""Orders at a steady pace that the shop carries easily: how long a customer waits, and what one order costs."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from bench import goals, pipeline, process_groups
from bench.percentiles import percentile
from bench.process_groups import SHOWN
from bench.report import Cell, Row, Table
from bench.shop import Data
from bench.sink import Sink
from deploy.local.errors import NotReady
from deploy.local.supervision.waiting import until_ready
from tests.shop import Shop

PACE, ORDERS = 20, 300  # orders a second


def place(shop: Shop, data: Data, orders: int, pace: float) -> str:
    """Place orders, one when it is due. Returns the id of the newest order before them."""
    began, since = time.monotonic(), pipeline.newest_order(shop)
    for number in range(orders):
        time.sleep(max(0.0, began + number / pace - time.monotonic()))
        data.ask("order", "POST", "/orders", 201, data.order_body, data.customer)
    return since


def measure(shop: Shop, data: Data, sink: Sink) -> tuple[list[Row], Table]:
    """Both latencies from the placed order, by one clock: order → confirmed, order → both mails; and the CPU of one order."""
    pipeline.wait_handled(shop)
    sink.clear()
    sink.notes_orders = True
    before = process_groups.read(shop)
    since = place(shop, data, ORDERS, PACE)
    pipeline.wait_decided(shop)
    mails = _wait_mails(shop, sink, since)
    spent = process_groups.per_event(before, process_groups.read(shop), ORDERS)
    sink.notes_orders = False
    confirmed = _confirmed(shop, since)
    rows = [
        goals.row(goals.CONFIRMED, percentile(confirmed, 95), note=_note(confirmed)),
        goals.row(goals.BOTH_MAILS, percentile(mails, 95), note=_note(mails)),
    ]
    cpu: list[Cell] = [spent[group] for group in SHOWN]
    title = f"One order at {PACE}/s, from the request to both mails"
    table = Table(title, ["CPU", *(f"{group} ms" for group in SHOWN), "all ms"], [["", *cpu, sum(spent.values())]])
    return rows, table


def _note(times: list[float]) -> str:
    return f"p50 {percentile(times, 50):.0f} ms, p99 {percentile(times, 99):.0f} ms, {len(times)} orders"


def _confirmed(shop: Shop, since: str) -> list[float]:
    query = (
        "SELECT TIMESTAMPDIFF(MICROSECOND, o.created_at, c.at) / 1e3 AS ms "
        "FROM order_changes c JOIN orders o ON o.id = c.order_id WHERE c.to_status = 'confirmed' AND o.id > %s"
    )
    return [float(row["ms"]) for row in pipeline.sql(shop, query, since)]


def _wait_mails(shop: Shop, sink: Sink, since: str) -> list[float]:
    """Milliseconds from each order to its second mail."""
    placed = {
        row["id"]: row["created_at"]
        for row in pipeline.sql(shop, "SELECT id, created_at FROM orders WHERE id > %s", since)
    }

    def check() -> None:
        if missing := [order for order in placed if len(sink.by_order.get(order, ())) < 2]:
            raise NotReady(f"both mails did not come for {len(missing)} of {len(placed)} orders")

    until_ready(check, pipeline.DRAIN_SECONDS, every=0.1)
    return [(sorted(sink.by_order[order])[1] - _seconds(at)) * 1000 for order, at in placed.items()]


def _seconds(at: datetime) -> float:
    """The database's times are UTC without a zone."""
    return at.replace(tzinfo=UTC).timestamp()
