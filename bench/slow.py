"""What 200 slow clients cost the others."""

from __future__ import annotations

import time

from bench.percentiles import percentile
from bench.report import Row
from deploy.local.errors import LocalError
from deploy.local.probe import call
from tests.shop import PORTS, Shop
from tests.slow_clients import SlowClients

REQUESTS = 500


def measure(shop: Shop, path: str) -> Row:
    """The p95 of a route of product_service beside 200 slow clients, in percent of that without."""
    port = int(shop.env[PORTS["product"]])
    alone = _p95(port, path)
    with SlowClients(port):
        beside = _p95(port, path)
    note = f"p95 {alone * 1000:.1f} ms alone, {beside * 1000:.1f} ms beside them"
    return Row("latency beside 200 slow clients", beside / alone * 100, "%", 200, at_most=True, note=note)


def _p95(port: int, path: str) -> float:
    return percentile([_seconds(port, path) for _ in range(REQUESTS)], 95)


def _seconds(port: int, path: str) -> float:
    began = time.monotonic()
    answer = call(port, "GET", path)
    if answer.status != 200:
        raise LocalError(f"GET {path} answers {answer.status}: {answer.body[:200]!r}")
    return time.monotonic() - began
