"""What the plots show."""

from __future__ import annotations

from bench import goals
from bench.plots import series

COLUMNS = [
    "route",
    "ours/s",
    "peer/s",
    "ratio",
    "% of ceiling",
    "web ms",
    "mongod ms",
    "peer's service ms",
    "p50 ms",
    "p99 ms",
]
RESULT = {
    "rows": [
        {"what": goals.ratio_name("GET /x"), "measured": 1.5, "aim": 1.2},
        {"what": goals.ratio_name("GET /y"), "measured": None, "aim": 1.2},
        {"what": "warm `make up`", "measured": 12, "aim": 60},
    ],
    "tables": [
        {"title": "Routes", "columns": COLUMNS, "rows": [["GET /x", 100, 66, 1.5, 10, 2.0, None, 1.0, 5.0, 20.0]]},
        {
            "title": "Open loop",
            "columns": ["route", "rate /s", "p50 ms", "p99 ms"],
            "rows": [["GET /x", 50.0, 4.0, 9.0]],
        },
    ],
}


def test_ratios_have_their_goals() -> None:
    bars = series.ratios(RESULT)
    assert (bars.labels, bars.series, bars.goals) == (["GET /x"], {"ours": [1.5]}, [1.2])


def test_cpu_is_shown_by_group_without_the_peer() -> None:
    assert series.cpu(RESULT).series == {"web": [2.0], "mongod": [0.0]}


def test_latencies_are_those_of_both_loops() -> None:
    assert series.latencies(RESULT).series == {"p50": [5.0], "p99": [20.0]}
    bars = series.open_latencies(RESULT)
    assert (bars.labels, bars.series) == (["GET /x, 50/s"], {"p50": [4.0], "p99": [9.0]})


def test_a_result_without_routes_has_no_bars() -> None:
    assert series.cpu({"rows": [], "tables": []}).labels == []
