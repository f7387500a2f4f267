"""The table of one run, with what was aimed at beside what was measured."""

from __future__ import annotations

import os
import platform
import time
import timeit
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.console import say

RESULTS = Path(__file__).with_name("results")
BYTES_IN_MIB = 1024 * 1024


@dataclass(frozen=True)
class Row:
    """One figure. `aim` is the least to reach, or with `at_most` the most that is allowed; None: no aim."""

    what: str
    measured: float
    unit: str
    aim: float | None = None
    at_most: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the aim was reached."""
        if self.aim is None:
            return ""
        reached = self.measured <= self.aim if self.at_most else self.measured >= self.aim
        return "reached" if reached else "MISSED"

    def line(self) -> str:
        """The row of a Markdown table."""
        places = 2 if self.unit == "x" else 0
        aim = "" if self.aim is None else f"{'≤ ' if self.at_most else '≥ '}{self.aim:,.{places}f} {self.unit}"
        return f"| {self.what} | {self.measured:,.{places}f} {self.unit} | {aim} | {self.verdict} | {self.note} |"


@dataclass
class Report:
    """The rows so far, the memory of each process in MiB; of before it began, how many processes wanted a core, and a yardstick."""

    load_before: float = field(default_factory=lambda: os.getloadavg()[0])
    yardstick_ms: float = field(default_factory=lambda: measure_python())
    rows: list[Row] = field(default_factory=list)
    memory: dict[str, float] = field(default_factory=dict)

    def add(self, *rows: Row) -> None:
        """Take rows in, and show them at once."""
        self.rows += rows
        for row in rows:
            say(f"    {row.line()}")

    def text(self) -> str:
        """The whole report in Markdown."""
        lines = [f"# Benchmark of {time.strftime('%Y-%m-%d %H:%M')}", "", self.machine(), ""]
        lines += [
            "| what | measured | aim | | |",
            "| --- | ---: | ---: | --- | --- |",
            *(row.line() for row in self.rows),
        ]
        lines += ["", "| process | MiB |", "| --- | ---: |"]
        lines += [f"| {name} | {size:.0f} |" for name, size in self.memory.items()]
        return "\n".join(lines) + "\n"

    def write(self) -> Path:
        """Write it under today's date; a later run of the same day replaces it."""
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{time.strftime('%Y-%m-%d')}.md"
        path.write_text(self.text())
        return path

    def machine(self) -> str:
        """What it was measured on; figures from a machine that had other work mean little."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // BYTES_IN_MIB
        system = f"Linux {platform.release()}, Python {platform.python_version()}"
        return (
            f"{os.cpu_count()} cores, {memory:,} MiB, {system}. Load before the start: {self.load_before:.1f}. "
            f"Yardstick: {self.yardstick_ms:.0f} ms for a million turns of an empty loop."
        )


def measure_python() -> float:
    """Milliseconds of a million turns of an empty loop, the best of five: how quick a core is with Python."""
    return min(timeit.repeat("for _ in numbers: pass", "numbers = range(10**6)", number=1, repeat=5)) * 1000
