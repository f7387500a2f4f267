"""The table of a run, its verdicts, and the list of goals."""

from __future__ import annotations

import pytest

from bench import goals
from bench.report import Report, Row, Table


def report_with(*rows: Row, tables: tuple[Table, ...] = ()) -> Report:
    return Report("2026-11-28 10:00", 1.25, 20.4, "2 cores", "all", 3, 6, list(rows), list(tables))


@pytest.mark.parametrize(
    ("measured", "at_most", "verdict"),
    [
        (99, False, "MISSED"),
        (100, False, "met"),
        (100, True, "met"),
        (101, True, "MISSED"),
        (None, True, "not measured"),
    ],
)
def test_a_figure_is_compared_with_its_aim(measured: float | None, at_most: bool, verdict: str) -> None:
    assert Row("x", measured, "/s", 100, at_most=at_most).verdict == verdict


def test_a_fault_misses_the_aim_whatever_the_figure_says() -> None:
    row = Row("x", 120, "/s", 100, note="3 rounds", fault="decided 20 s after the load")
    assert row.line() == "| x | 120 /s | ≥ 100 /s | MISSED | decided 20 s after the load; 3 rounds |"


def test_the_report_is_a_table_with_every_row() -> None:
    text = report_with(Row("`GET /x`", 1234, "/s", 1000, note="p50 1 ms"), Row("y", 5, "ms")).text()
    assert "| `GET /x` | 1,234 /s | ≥ 1,000 /s | met | p50 1 ms |" in text
    assert "| y | 5 ms |  |  |  |" in text
    assert "Load before the start: 1.2. Yardstick: 20 ms" in text


def test_the_report_counts_what_was_missed_and_what_was_not_measured() -> None:
    text = report_with(Row("a", 1, "x", 2), Row("b", None, "x", 2), Row("c", 3, "x", 2), Row("d", 3, "ms")).text()
    assert "Aims missed: 2." in text


def test_tables_show_three_digits_and_pictures_are_linked() -> None:
    table = Table("Routes", ["route", "ours/s", "ms"], [["GET /x", 1234.5, 0.123], ["GET /y", 12.34, None]], "A note.")
    text = report_with(tables=(table,)).text(pictures=("x-cpu.png",))
    assert "![x-cpu.png](x-cpu.png)" in text
    assert "## Routes\n\nA note.\n\n| route | ours/s | ms |\n| --- | ---: | ---: |\n" in text
    assert "| GET /x | 1,234 | 0.12 |\n| GET /y | 12.3 |  |" in text


def test_a_row_of_a_goal_has_its_aim() -> None:
    row = goals.row(goals.ratio_name("GET /orders/{id}"), 1.3, note="600/s to 460/s")
    assert (row.aim, row.unit, row.verdict) == (1.2, "x", "met")
    with pytest.raises(KeyError):
        goals.row("no goal", 1)


def test_goals_that_were_not_measured_are_named() -> None:
    rows = [goals.row(goal.what, 1) for goal in goals.GOALS[2:]]
    assert goals.missing(rows) == list(goals.GOALS[:2])


def test_every_route_has_a_ratio_and_a_tail() -> None:
    names = {goal.what for goal in goals.GOALS}
    assert all({goals.ratio_name(route), goals.tail_name(route)} <= names for route in goals.RATIOS)
