"""The files of a result: a Markdown table for people, and the same as JSON, which the next run is compared with."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bench.report import Cell, Report, Row, Table

RESULTS = Path(__file__).with_name("results")
_JSON = TypeAdapter(Report)
RATES, TIMES = {"/s"}, {"s", "ms", "µs"}


def dump(report: Report) -> bytes:
    """The report as JSON."""
    return _JSON.dump_json(report, indent=1) + b"\n"


def load(path: Path) -> Report:
    """A report from its JSON. Raises ValueError."""
    return _JSON.validate_json(path.read_bytes())


def name_of(report: Report) -> str:
    """The name of its files: the date, and the parts unless all were measured. A later run of the same day replaces them."""
    parts = "" if report.parts == "all" else "-" + "".join(c if c.isalnum() else "-" for c in report.parts.lower())
    return report.at.partition(" ")[0] + parts.replace("--", "-").rstrip("-")[:60]


def last_before(report: Report, folder: Path = RESULTS) -> Report | None:
    """The newest older result of all parts, or of the same ones, with a figure in common. Files of another form are passed over."""
    known, found = {row.what for row in report.rows if row.measured is not None}, list[Report]()
    for path in folder.glob("*.json"):
        try:
            earlier = load(path)
        except (ValidationError, OSError):
            continue
        figures = {row.what for row in earlier.rows if row.measured is not None}
        if earlier.parts in ("all", report.parts) and earlier.at < report.at and known & figures:
            found.append(earlier)
    return max(found, key=lambda earlier: earlier.at, default=None)


def compare(now: Report, before: Report) -> Table:
    """Each figure beside that of the last result. `by yardstick`: as if both machines had been equally quick with Python."""
    earlier = {row.what: row for row in before.rows}
    rows = [line for row in now.rows if (line := _compared(row, earlier.get(row.what), now, before))]
    note = (
        f"The last result is of {before.at} (yardstick {before.yardstick_ms:.0f} ms, load {before.load_before:.1f}). `by yardstick`"
        " is now ÷ before, as if both machines had been equally quick with Python."
    )
    return Table("Beside the last result", ["what", "before", "now", "now ÷ before", "by yardstick"], rows, note)


def _compared(row: Row, before: Row | None, now: Report, then: Report) -> list[Cell] | None:
    if before is None or before.measured is None or row.measured is None or before.unit != row.unit:
        return None
    ratio = row.measured / before.measured if before.measured else None
    return [row.what, before.measured, row.measured, ratio, by_yardstick(ratio, row.unit, now, then)]


def by_yardstick(ratio: float | None, unit: str, now: Report, then: Report) -> float | None:
    """A ratio of two figures, free of how quick the machines were. Ratios and sizes do not depend on that."""
    slower = now.yardstick_ms / then.yardstick_ms
    if ratio is None:
        return None
    return ratio * slower if unit in RATES else ratio / slower if unit in TIMES else ratio
