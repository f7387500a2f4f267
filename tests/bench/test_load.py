"""The benchmark's reading of wrk."""

from __future__ import annotations

import pytest

from bench.load import parse
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
    assert (load.per_second, load.requests, load.p50, load.p99, load.failed) == (702.51, 7041, 0.87, 1200.0, 0)


def test_refused_requests_and_broken_connections_are_counted() -> None:
    trouble = "  Socket errors: connect 1, read 2, write 0, timeout 4\n  Non-2xx or 3xx responses: 30\n"
    assert parse(OUTPUT + trouble).failed == 37


def test_another_text_is_no_report() -> None:
    with pytest.raises(LocalError, match="no rate"):
        parse("unable to connect")


def test_a_percentile_that_wrk_does_not_name_is_none() -> None:
    assert parse(OUTPUT.replace("     99%    1.20s\n", "")).p99 is None
