"""Prometheus metrics: requests by route template, and the workers' states as gauges.

gunicorn's processes share their counters through files (prometheus_client's multiprocess mode, set up by `serve`).
"""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST
REQUESTS = Counter("http_requests_total", "Answered requests", ["method", "route", "status"])
SECONDS = Histogram("http_request_duration_seconds", "Time to answer", ["method", "route"])

# field of a part's state → (metric, help); one label, the part's name
GAUGES = {
    "pending": ("outbox_pending", "Events stored and not published yet"),
    "oldestAgeSeconds": ("outbox_oldest_age_seconds", "Age of the oldest of them"),
    "published": ("relay_published_total", "Events the broker acknowledged since the worker's start"),
    "failed": ("relay_failed_total", "Deliveries that failed since the worker's start"),
    "buried": ("outbox_dead_total", "Events moved to outbox_dead since the worker's start"),
    "leader": ("relay_is_leader", "1 when this worker's relay holds the lease"),
    "oldestPendingSeconds": ("orders_oldest_pending_seconds", "Age of the oldest order that is not decided"),
    "lag": ("consumer_lag", "Events on the assigned partitions that are not handled yet"),
    "assigned": ("consumer_assigned_partitions", "Partitions this group's member holds"),
    "handled": ("consumer_handled_total", "Events handled since the process's start"),
    "deadLetters": ("consumer_dead_letters_total", "Dead letters written since the process's start"),
}


class _States(Collector):
    def __init__(self, parts: Mapping[str, Mapping[str, Any]]) -> None:
        self._parts = parts

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for field, (metric, text) in GAUGES.items():
            family = GaugeMetricFamily(metric, text, labels=["part"])
            for part, state in self._parts.items():
                if field in state:
                    family.add_metric([part], float(state[field]))
            if family.samples:
                yield family


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request; `route` is the template (`/orders/{id}`), never the raw path."""
    REQUESTS.labels(method, route, status).inc()
    SECONDS.labels(method, route).observe(seconds)


def render(parts: Mapping[str, Mapping[str, Any]]) -> bytes:
    """The page at /metrics; `parts` are the worker's (or consumer's) states by name."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # noqa: TID251 -- prometheus_client's own switch
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    states = CollectorRegistry()
    states.register(_States(parts))
    return generate_latest(registry) + generate_latest(states)
