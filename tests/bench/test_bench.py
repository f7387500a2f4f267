"""The benchmark's reading of wrk, and its verdicts."""

from __future__ import annotations

import pytest

from bench.load import parse
from bench.report import Report, Row
from deploy.local.errors import LocalError

OUTPUT = """Running 10s test @ http://127.0.0.1:8000/products
  2 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    18.20ms    6.77ms  83.40ms   83.44%
    Req/Sec   352.10     60.31   500.00     70.00%
  Latency Distribution
     50%  870.00us
     75%   21.00ms
     90%   26.07ms
     99%    1.20s
  7041 requests in 10.02s, 98.03MB read
Requests/sec:    702.51
Transfer/sec:      9.78MB
"""


def test_wrks_report_is_read() -> None:
    load = parse(OUTPUT)
    assert (load.per_second, load.p50, load.p99, load.failed) == (702.51, 0.87, 1200.0, 0)


def test_refused_requests_and_broken_connections_are_counted() -> None:
    trouble = "  Socket errors: connect 1, read 2, write 0, timeout 4\n  Non-2xx or 3xx responses: 30\n"
    assert parse(OUTPUT + trouble).failed == 37


def test_another_text_is_no_report() -> None:
    with pytest.raises(LocalError, match="no rate"):
        parse("unable to connect")


@pytest.mark.parametrize(
    ("measured", "at_most", "verdict"),
    [(99, False, "MISSED"), (100, False, "reached"), (100, True, "reached"), (101, True, "MISSED")],
)
def test_a_figure_is_compared_with_its_aim(measured: float, at_most: bool, verdict: str) -> None:
    assert Row("x", measured, "/s", 100, at_most=at_most).verdict == verdict


def test_the_report_is_a_table_with_every_row() -> None:
    report = Report(
        1.25, 20.4, [Row("`GET /x`", 1234, "/s", 1000, note="p50 1 ms"), Row("y", 5, "ms")], {"mysql": 99.6}
    )
    text = report.text()
    assert "| `GET /x` | 1,234 /s | ≥ 1,000 /s | reached | p50 1 ms |" in text
    assert "| y | 5 ms |  |  |  |" in text
    assert "| mysql | 100 |" in text
    assert "Load before the start: 1.2. Yardstick: 20 ms" in text
