"""What the plots show, picked from the JSON of a result. matplotlib's environment has the standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

RATIO = ": ratio to the peer"
Result = dict[str, Any]


@dataclass(frozen=True)
class Bars:
    """Bars side by side: for each label a value in each series. A missing value is 0."""

    title: str
    unit: str
    labels: list[str]
    series: dict[str, list[float]]
    goals: list[float]
    """A mark for each label; or none."""


def ratios(result: Result) -> Bars:
    """Of each route: the ratio to the peer, and its goal."""
    rows = [row for row in result["rows"] if row["what"].endswith(RATIO) and row["measured"] is not None]
    labels = [row["what"].removesuffix(RATIO) for row in rows]
    goals = [row["aim"] for row in rows]
    return Bars(
        "Requests a second: ratio to the plain peer", "times", labels, {"ours": [r["measured"] for r in rows]}, goals
    )


def cpu(result: Result) -> Bars:
    """Of each route: the CPU time of one request, by group of processes."""
    columns, rows = _table(result, "Routes")
    groups = {name: place for place, name in enumerate(columns) if name.endswith(" ms") and not name.startswith("p")}
    series = {name.removesuffix(" ms"): [row[place] or 0.0 for row in rows] for name, place in groups.items()}
    return Bars("CPU time of one request", "ms", [row[0] for row in rows], series, [])


def latencies(result: Result) -> Bars:
    """Of each route: p50 and p99 at 16 connections."""
    columns, rows = _table(result, "Routes")
    series = {name: [row[columns.index(f"{name} ms")] or 0.0 for row in rows] for name in ("p50", "p99")}
    return Bars("Latency with 16 connections", "ms", [row[0] for row in rows], series, [])


def open_latencies(result: Result) -> Bars:
    """Of each route: p50 and p99 at a constant rate."""
    columns, rows = _table(result, "Open loop")
    labels = [f"{row[0]}, {row[1]:.0f}/s" for row in rows]
    series = {name: [row[columns.index(f"{name} ms")] or 0.0 for row in rows] for name in ("p50", "p99")}
    return Bars("Latency at a constant rate", "ms", labels, series, [])


def _table(result: Result, title: str) -> tuple[list[str], list[list[Any]]]:
    for table in result["tables"]:
        if table["title"] == title:
            return table["columns"], table["rows"]
    return [], []
