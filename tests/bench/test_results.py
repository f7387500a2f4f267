"""The files of results, and the comparison with the last one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import results
from bench.report import Report, Row, Table


def report_at(at: str, *rows: Row, yardstick_ms: float = 20.0, parts: str = "all") -> Report:
    return Report(
        at, 0.5, yardstick_ms, "2 cores", parts, 3, 6, list(rows), [Table("T", ["a", "b"], [["x", 1.5], ["y", None]])]
    )


def test_a_report_is_the_same_after_its_json(tmp_path: Path) -> None:
    report = report_at("2026-11-28 10:00", Row("a", 1.5, "x", 2.0, note="n"), Row("b", None, "ms", 5, at_most=True))
    (tmp_path / "r.json").write_bytes(results.dump(report))
    assert results.load(tmp_path / "r.json") == report


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ("all", "2026-11-28"),
        ("routes, mails", "2026-11-28-routes-mails"),
        ("GET /orders/{id}", "2026-11-28-get-orders-id"),
    ],
)
def test_the_files_are_named_by_the_date_and_the_parts(parts: str, name: str) -> None:
    assert results.name_of(report_at("2026-11-28 10:00", parts=parts)) == name


def test_the_last_result_is_the_newest_older_one_with_a_figure_in_common(tmp_path: Path) -> None:
    kept = {
        "old": report_at("2026-11-01 10:00", Row("a", 1, "x")),
        "last": report_at("2026-11-20 10:00", Row("a", 2, "x")),
        "other": report_at("2026-11-25 10:00", Row("b", 2, "x")),
        "unmeasured": report_at("2026-11-26 10:00", Row("a", None, "x")),
        "part": report_at("2026-11-27 10:00", Row("a", 9, "x"), parts="routes"),
        "later": report_at("2026-11-29 10:00", Row("a", 3, "x")),
    }
    for name, report in kept.items():
        (tmp_path / f"{name}.json").write_bytes(results.dump(report))
    (tmp_path / "broken.json").write_text("{}")
    now = report_at("2026-11-28 10:00", Row("a", 4, "x"))
    assert results.last_before(now, tmp_path) == kept["last"]
    assert (
        results.last_before(report_at("2026-11-28 10:00", Row("a", 4, "x"), parts="routes"), tmp_path) == kept["part"]
    )
    assert results.last_before(report_at("2026-10-28 10:00", Row("a", 4, "x")), tmp_path) is None


def test_the_comparison_shows_ratios_also_by_the_yardstick() -> None:
    before = report_at(
        "2026-11-20 10:00", Row("rate", 100, "/s"), Row("time", 10, "ms"), Row("ratio", 2, "x"), Row("new", None, "x")
    )
    now = report_at(
        "2026-11-28 10:00",
        *(Row("rate", 50, "/s"), Row("time", 30, "ms"), Row("ratio", 3, "x"), Row("new", 1, "x"), Row("more", 1, "x")),
        yardstick_ms=40.0,
    )
    table = results.compare(now, before)
    assert table.rows == [
        ["rate", 100, 50, 0.5, 1.0],  # half as many on a machine that is half as quick
        ["time", 10, 30, 3.0, 1.5],
        ["ratio", 2, 3, 1.5, 1.5],
    ]
    assert "2026-11-20 10:00 (yardstick 20 ms, load 0.5)" in table.note


def test_a_figure_of_another_unit_is_not_compared() -> None:
    before, now = report_at("2026-11-20 10:00", Row("a", 1, "s")), report_at("2026-11-28 10:00", Row("a", 1000, "ms"))
    assert results.compare(now, before).rows == []
