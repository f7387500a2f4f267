"""Every goal of the benchmark. A whole run shows each of them, also those that it could not measure."""

from __future__ import annotations

from collections.abc import Iterable

from bench.report import Row

RATIOS = {
    "GET /products?limit=100": 3.0,
    "GET /products/{id}": 1.6,
    "GET /orders?limit=20": 1.2,
    "GET /orders/{id}": 1.2,
    "POST /orders, workers stopped": 1.5,
    "POST /orders, workers running": 0.8,
    "POST /products, workers stopped": 0.8,
    "POST /products, workers running": 0.6,
    "POST /login": 3.0,
    "POST /register": 2.5,
}
"""Of each route: the least ratio of our requests a second to those of the plain peer."""
TAIL = 5.0
"""On each route p99 is at most so many times p50, with 16 connections."""


def ratio_name(route: str) -> str:
    """The line of a route's ratio."""
    return f"{route}: ratio to the peer"


def tail_name(route: str) -> str:
    """The line of a route's latencies."""
    return f"{route}: p99 ÷ p50"


SUSTAINED = "orders placed, confirmed and both mails taken, sustained"
HOT_PRODUCT = "orders decided, of one hot product"
MAILS = "mails, the mail part alone, to a quick server"
LOGIN_TIMING, RESET_TIMING = "login, known or unknown: medians apart", "reset, known or unknown: medians apart"
CONFIRMED, BOTH_MAILS = "order → confirmed at 20/s, p95", "order → both mails at 20/s, p95"
MEMORY = "resident memory of the local stack after the load"
TRACING = "CPU of the pipeline with traces of 10 %, beside that without"

GOALS: tuple[Row, ...] = (
    *(Row(ratio_name(route), None, "x", least) for route, least in RATIOS.items()),
    Row(SUSTAINED, None, "/s", 250),
    Row(HOT_PRODUCT, None, "/s", 1000),
    Row(MAILS, None, "/s", 1200),
    Row(LOGIN_TIMING, None, "ms", 5, at_most=True),
    Row(RESET_TIMING, None, "ms", 5, at_most=True),
    Row(CONFIRMED, None, "ms", 100, at_most=True),
    Row(BOTH_MAILS, None, "ms", 200, at_most=True),
    *(Row(tail_name(route), None, "x", TAIL, at_most=True) for route in RATIOS),
    Row(MEMORY, None, "MiB", 1434, at_most=True),
    Row(TRACING, None, "%", 5, at_most=True),
)
_BY_NAME = {goal.what: goal for goal in GOALS}


def row(what: str, measured: float | None, *, note: str = "", fault: str = "") -> Row:
    """The line of a goal. `fault`: why it is missed whatever the figure says. Raises KeyError for what is no goal."""
    goal = _BY_NAME[what]
    return Row(what, measured, goal.unit, goal.aim, goal.at_most, note, fault)


def missing(rows: Iterable[Row]) -> list[Row]:
    """The goals that are none of these rows."""
    known = {found.what for found in rows}
    return [goal for goal in GOALS if goal.what not in known]
