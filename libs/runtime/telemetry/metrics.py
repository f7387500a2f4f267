"""Prometheus metrics: requests by route template, and the metrics of the workers.

gunicorn's processes share their counters through files (metrics_files.py).
"""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from libs.runtime.telemetry.metric_families import Families
from libs.runtime.telemetry.status_metrics import STATUS_METRICS, StatusMetric, WorkerStatus
from libs.values.http_methods import METHODS

CONTENT_TYPE = CONTENT_TYPE_LATEST
MAX_ROUTES = 200
"""The bound of the store: a process counts so many routes, and those beyond it as one. The largest service has about 90."""
UNKNOWN_ROUTE = "unknown"
SERVER_ERRORS = 500
READ_ATTEMPTS = 3  # of the files of all processes
REQUESTS = Counter("http_requests_total", "Answered requests", ["method", "route", "status"])
SECONDS = Histogram(
    "http_request_duration_seconds", "Time to answer, without the answers of class 5xx", ["method", "route"]
)

_routes: set[str] = set()


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request of a method in METHODS.

    `route` is the template (`/things/{id}`), never the raw path. The label `status` is the class (`2xx`). The time of a 5xx is not
    counted, because it is an error already: while a database hangs, some of them wait for it.
    """
    if method not in METHODS:
        return
    if route not in _routes and len(_routes) >= MAX_ROUTES:
        route = UNKNOWN_ROUTE
    _routes.add(route)
    requests, durations = _series(method, route, status // 100)
    requests.inc()
    if status < SERVER_ERRORS:
        durations.observe(seconds)


@cache
def _series(method: str, route: str, status_class: int) -> tuple[Counter, Histogram]:
    """The counter and the histogram of these labels. Their number is bounded by METHODS, MAX_ROUTES and the classes."""
    return REQUESTS.labels(method, route, f"{status_class}xx"), SECONDS.labels(method, route)


def render(statuses: Sequence[WorkerStatus], more: Sequence[StatusMetric]) -> bytes:
    """The page at /metrics. `statuses`: of the workers. `more`: metrics of the service, beside STATUS_METRICS."""
    families = Families(_collect())
    for status in statuses:
        families.add_status(status, (*STATUS_METRICS, *more))
    page = CollectorRegistry()
    page.register(_Page(families))
    return generate_latest(page)


class _Page(Collector):
    def __init__(self, families: Families) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families.collect()


def _collect() -> list[Metric]:
    """The metrics of this service's web processes."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # noqa: TID251 -- prometheus_client's own variable
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    for _ in range(READ_ATTEMPTS - 1):
        with suppress(FileNotFoundError):  # a process ended after its file was listed, and its counts were merged
            return list(registry.collect())
    return list(registry.collect())
