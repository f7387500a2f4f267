"""R19: how long a new order waits while a hot product has a long queue. CHAOS_LONG=1 for 50,000 orders; else fewer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import psutil
from ulid import ULID

from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.quiet import wait_quiet
from chaos.harness.shelf import check_stock
from chaos.harness.sizes import size
from chaos.harness.stack import Stack
from chaos.harness.stores import Row, Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.waiting import promised, wait_until

GROUP = "notification-service"
GOAL_SECONDS = 60.0
CORES = 2
CHUNK = 1000
TABLES = {"orders": "id", "order_lines": "order_id", "order_changes": "order_id"}
TABLES |= {"outbox": "aggregate_id", "pending_orders": "aggregate_id"}
"""The rows of a new order: each table, and its column with the order's id."""


def test_a_new_order_waits_a_minute_at_most_behind_a_long_queue(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """One of another product, and one of the hot product. Nothing is mailed meanwhile: the sink keeps all mails in memory.

    The CPU time is noted, too. Other work on the machine does not change it.
    """
    count = size(3_000, 50_000)
    hot, other = customers.new_product()["id"], customers.new_product()["id"]
    wait_quiet(stores, topics)
    for name in ("notification", "product-worker", "order-worker"):
        stack.children[name].stop()
    copy_order(stores, customers.order(hot).json["orderId"], count)
    stack.supervisor.start(stack.children["order-worker"])
    wait_until(lambda: not stores.outbox()["order"], 300, stores.outbox)
    assert stores.pending() == count + 1

    stack.supervisor.start(stack.children["product-worker"])
    wait_until(lambda: stores.pending() <= count, 60, "no order is decided")
    began, cpu = time.monotonic(), cpu_seconds(stack)
    placed = {name: customers.order(product).json["orderId"] for name, product in (("other", other), ("same", hot))}
    assert stores.pending() > count // 2, "the queue was not long any more"
    waited = dict[str, float]()

    def decided() -> bool:
        for name, order_id in placed.items():
            if (
                name not in waited
                and stores.sql("SELECT status FROM orders WHERE id = %s", [order_id])[0]["status"] != "pending"
            ):
                waited[name] = time.monotonic() - began
        return len(waited) == len(placed)

    wait_until(decided, 900, lambda: (waited, stores.pending()), every=0.2)
    wait_until(lambda: not stores.pending(), 900, stores.pending)
    rate = count / (time.monotonic() - began)
    used = {name: seconds - cpu[name] for name, seconds in cpu_seconds(stack).items() if name in cpu}
    free = max(*used.values(), sum(used.values()) / CORES)
    note(
        "R19",
        f"{count:,} waiting orders of one product: a new one of another product waited {waited['other']:.1f} s, "
        f"one of the same {waited['same']:.1f} s; {rate:,.0f} decided a second. With {CORES} cores of its own it "
        f"would take {free:.0f} s: "
        + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in used.items() if seconds >= 1),
    )
    topics.skip(GROUP)
    stack.supervisor.start(stack.children["notification"])
    wait_quiet(stores, topics)
    check_stock(stack)
    assert max(waited.values()) <= promised(GOAL_SECONDS), (waited, used)


def cpu_seconds(stack: Stack) -> dict[str, float]:
    """What each process and its children have used so far: it tells how long a free machine would take."""
    children = {**stack.children, **{name: fronted.child for name, fronted in stack.servers.items()}}
    running = {name: child for name, child in children.items() if child.is_running()}
    return {
        name: sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in child.family()) for name, child in running.items()
    }


def copy_order(stores: Stores, order_id: str, count: int) -> None:
    """As many orders more, as `POST /orders` writes them: no load could place them in minutes."""
    rows = {
        table: one
        for table, key in TABLES.items()
        for one in stores.sql(f"SELECT * FROM {table} WHERE {key} = %s", [order_id])
    }
    assert rows.keys() == TABLES.keys(), rows.keys()
    rows["order_changes"]["number"] = None  # in the feed, which gives each its own
    event_id = rows["outbox"]["event_id"]
    with stores.connection() as connection:
        cursor = connection.cursor()
        connection.autocommit(False)
        for first in range(0, count, CHUNK):
            ids = [(str(ULID()), str(ULID())) for _ in range(min(CHUNK, count - first))]
            for table, row in rows.items():
                columns = [name for name in row if name != "id" or table == "orders"]
                values = [_copy(row, columns, {order_id: order, event_id: event}) for order, event in ids]
                marks = ", ".join(["%s"] * len(columns))
                cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", values)
            connection.commit()


def _copy(row: Row, columns: Sequence[str], new: dict[str, str]) -> list[Any]:
    values = []
    for column in columns:
        value = row[column]
        if isinstance(value, str):
            for old, text in new.items():
                value = value.replace(old, text)
        values.append(value)
    return values
