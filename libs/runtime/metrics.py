"""Prometheus metrics: requests by route template, and the status of the workers' tasks as gauges.

gunicorn's processes share their counters through files (metrics_files.py).
"""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from libs.runtime.http_methods import METHODS

CONTENT_TYPE = CONTENT_TYPE_LATEST
MAX_ROUTES = 200
"""The bound of the store: a process counts so many routes, and those beyond it as one. The largest service has about 90."""
UNKNOWN_ROUTE = "unknown"
READ_ATTEMPTS = 3  # of the files of all processes
REQUESTS = Counter("http_requests_total", "Answered requests", ["method", "route", "status"])
SECONDS = Histogram("http_request_duration_seconds", "Time to answer", ["method", "route"])

Gauges = Mapping[str, tuple[str, str]]
"""Field of a task's status → (name of the metric, its help). The task's name is the label `part`."""
Statuses = Mapping[str, Mapping[str, object]]
"""The status of each task by name."""

GAUGES: Gauges = {
    "pending": ("outbox_pending", "Events stored and not published yet"),
    "oldestAgeSeconds": ("outbox_oldest_age_seconds", "Age of the oldest pending event"),
    "published": ("relay_published_total", "Events the broker acknowledged since the worker's start"),
    "failed": ("relay_failed_total", "Deliveries that failed since the worker's start"),
    "buried": ("outbox_dead_total", "Events moved to outbox_dead since the worker's start"),
    "leader": ("relay_is_leader", "1 when this worker's relay holds the lease"),
    "lag": ("consumer_lag", "Events on the assigned partitions that are not handled yet"),
    "assigned": ("consumer_assigned_partitions", "Partitions this group's member holds"),
    "handled": ("consumer_handled_total", "Events handled since the process's start"),
    "deadLetters": ("consumer_dead_letters_total", "Dead letters written since the process's start"),
    "offsetsOutOfRange": ("consumer_offsets_out_of_range_total", "Lost offsets since the process's start"),
    "open": ("consumer_open_events", "Events that are fetched and not done"),
    "uncommitted": ("consumer_uncommitted_events", "Events that are done and wait for an open one before them"),
    "heldKeys": ("consumer_held_keys", "Keys that wait because an event of theirs failed"),
    "halvings": ("consumer_batch_halvings_total", "Batches that were halved because one of their events failed"),
    "conflicts": ("consumer_batch_conflicts_total", "Batches that met another writer"),
    "limits": ("consumer_batch_limits_total", "Batches that met a time limit"),
}
HISTOGRAMS: Gauges = {
    "batchSize": ("consumer_batch_events", "Events that were handled in one transaction"),
    "batchSeconds": ("consumer_batch_seconds", "Time of a transaction for a batch of events"),
}
"""Fields that hold `{"buckets": [[upper bound, count], …], "count": …, "sum": …}`."""
EVENT_LABELS = ("topic", "outcome", "reason")
EVENTS = ("events", "consumer_events_total", "Events by outcome (handled, retried, dead) and class of the reason")
"""The field that holds `[{"topic": …, "outcome": …, "reason": …, "count": …}, …]`, and its metric."""


class _StatusCollector(Collector):
    def __init__(self, statuses: Statuses, gauges: Gauges) -> None:
        self._statuses, self._gauges = statuses, gauges

    def collect(self) -> Iterable[Metric]:
        yield from self._collect_gauges()
        yield from self._collect_histograms()
        field, metric, text = EVENTS
        events = GaugeMetricFamily(metric, text, labels=["part", *EVENT_LABELS])
        for task, status in self._statuses.items():
            counted: Any = status.get(field, ())
            for one in counted:
                events.add_metric([task, *(one[label] for label in EVENT_LABELS)], one["count"])
        if events.samples:
            yield events

    def _collect_histograms(self) -> Iterable[Metric]:
        for field, (metric, text) in HISTOGRAMS.items():
            histogram = HistogramMetricFamily(metric, text, labels=["part"])
            for task, status in self._statuses.items():
                if found := status.get(field):
                    values: Any = found
                    buckets = [(str(float(bound)), count) for bound, count in values["buckets"]]
                    histogram.add_metric([task], [*buckets, ("+Inf", values["count"])], values["sum"])
            if histogram.samples:
                yield histogram

    def _collect_gauges(self) -> Iterable[Metric]:
        for field, (metric, text) in self._gauges.items():
            family = GaugeMetricFamily(metric, text, labels=["part"])
            for task, status in self._statuses.items():
                if isinstance(value := status.get(field), (int, float)):
                    family.add_metric([task], float(value))
            if family.samples:
                yield family


_routes: set[str] = set()


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request of a method in METHODS.

    `route` is the template (`/things/{id}`), never the raw path. The label `status` is the class (`2xx`).
    """
    if method not in METHODS:
        return
    if route not in _routes and len(_routes) >= MAX_ROUTES:
        route = UNKNOWN_ROUTE
    _routes.add(route)
    requests, durations = _series(method, route, status // 100)
    requests.inc()
    durations.observe(seconds)


@cache
def _series(method: str, route: str, status_class: int) -> tuple[Counter, Histogram]:
    """The counter and the histogram of these labels. Their number is bounded by METHODS, MAX_ROUTES and the classes."""
    return REQUESTS.labels(method, route, f"{status_class}xx"), SECONDS.labels(method, route)


def render(statuses: Statuses, gauges: Gauges) -> bytes:
    """The page at /metrics. `statuses`: of the worker's tasks. `gauges`: those of the service, beside GAUGES."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # noqa: TID251 -- prometheus_client's own variable
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    tasks = CollectorRegistry()
    tasks.register(_StatusCollector(statuses, {**GAUGES, **gauges}))
    return _of_all_processes(registry) + generate_latest(tasks)


def _of_all_processes(registry: CollectorRegistry) -> bytes:
    for _ in range(READ_ATTEMPTS - 1):
        with suppress(FileNotFoundError):  # a process ended after its file was listed, and its counts were merged
            return generate_latest(registry)
    return generate_latest(registry)
