"""The result of one run: its figures, each with its aim, and tables with the details."""

from __future__ import annotations

import os
import platform
import time
import timeit
from dataclasses import dataclass, field

from deploy.local.console import say

BYTES_IN_MIB = 1024 * 1024
Cell = str | float | None


@dataclass(frozen=True)
class Row:
    """One figure. `aim` is the least to reach, or with `at_most` the most that is allowed; None: no aim.

    `measured`: None when it was not. `fault`: why the aim is missed whatever the figure says.
    """

    what: str
    measured: float | None
    unit: str
    aim: float | None = None
    at_most: bool = False
    note: str = ""
    fault: str = ""

    @property
    def verdict(self) -> str:
        """Whether the aim was reached."""
        if self.measured is None:
            return "not measured"
        if self.aim is None:
            return ""
        reached = self.measured <= self.aim if self.at_most else self.measured >= self.aim
        return "met" if reached and not self.fault else "MISSED"

    def line(self) -> str:
        """The row of a Markdown table."""
        places = 2 if self.unit == "x" else 1 if self.unit == "%" else 0
        shown = "" if self.measured is None else f"{self.measured:,.{places}f} {self.unit}"
        aim = "" if self.aim is None else f"{'≤ ' if self.at_most else '≥ '}{self.aim:,.{places}f} {self.unit}"
        note = "; ".join(text for text in (self.fault, self.note) if text)
        return f"| {self.what} | {shown} | {aim} | {self.verdict} | {note} |"


@dataclass(frozen=True)
class Table:
    """Details that have no aim. A number has three digits, or all of those before its point."""

    title: str
    columns: list[str]
    rows: list[list[Cell]]
    note: str = ""

    def text(self) -> str:
        """In Markdown."""
        head = [f"## {self.title}", "", *([self.note, ""] if self.note else [])]
        lines = ["| " + " | ".join(self.columns) + " |", "| --- |" + " ---: |" * (len(self.columns) - 1)]
        lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in self.rows]
        return "\n".join([*head, *lines]) + "\n"


@dataclass
class Report:
    """`at`: when it began. Load before it: how many processes wanted a core. `parts`: what was measured, all or some."""

    at: str = field(default_factory=lambda: time.strftime("%Y-%m-%d %H:%M"))
    load_before: float = field(default_factory=lambda: os.getloadavg()[0])
    yardstick_ms: float = field(default_factory=lambda: measure_python())
    machine: str = field(default_factory=lambda: describe_machine())
    parts: str = "all"
    rounds: int = 3
    seconds: int = 6
    rows: list[Row] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    def add(self, *rows: Row) -> None:
        """Take rows in, and show them at once."""
        self.rows += rows
        for row in rows:
            say(f"    {row.line()}")

    def text(self, *more: Table, pictures: tuple[str, ...] = ()) -> str:
        """The whole report in Markdown, with further tables and pictures."""
        head = (
            f"{self.machine}. Load before the start: {self.load_before:.1f}. Yardstick: {self.yardstick_ms:.0f} ms for a"
            f" million turns of an empty loop. Measured: {self.parts}; routes in {self.rounds} rounds of {self.seconds} s."
        )
        missed = sum(row.verdict in ("MISSED", "not measured") for row in self.rows if row.aim is not None)
        lines = [f"# Benchmark of {self.at}", "", head, "", f"Aims missed: {missed}.", ""]
        lines += ["| what | measured | aim | | |", "| --- | ---: | ---: | --- | --- |", *(r.line() for r in self.rows)]
        lines += ["", *(f"![{name}]({name})" for name in pictures), *([""] if pictures else [])]
        return "\n".join(lines) + "\n" + "\n".join(table.text() for table in (*self.tables, *more))


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    places = 0 if abs(value) >= 100 or value == 0 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{places}f}"


def describe_machine() -> str:
    """What it was measured on; figures from a machine that had other work mean little."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // BYTES_IN_MIB
    return f"{os.cpu_count()} cores, {memory:,} MiB, Linux {platform.release()}, Python {platform.python_version()}"


def measure_python() -> float:
    """Milliseconds of a million turns of an empty loop, the best of five: how quick a core is with Python."""
    return min(timeit.repeat("for _ in numbers: pass", "numbers = range(10**6)", number=1, repeat=5)) * 1000
