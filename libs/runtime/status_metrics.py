"""Metrics that are made from the status of the workers' tasks, and the workers' own metrics, which travel in their status.

A worker has no port. It writes its status to its database, and the web process shows it at /metrics, with the label `worker`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import CollectorRegistry

WorkerStatus = Mapping[str, Any]
"""`host`, `pid`, `parts` (the status of each task by name), `clock`, and `metrics`, as `dump` returns them."""
Dump = Sequence[Mapping[str, object]]

OF_THE_INTERPRETER = ("python_", "process_")  # the web process has these, too


@dataclass(frozen=True, slots=True)
class StatusMetric:
    """A metric with the value of a field of the tasks' status. The task's name is the label `part`."""

    field: str
    name: str
    help: str
    kind: Literal["gauge", "counter"] = "gauge"


STATUS_METRICS: Sequence[StatusMetric] = (
    StatusMetric("pending", "outbox_pending", "Events that are stored and not published yet"),
    StatusMetric("oldestAgeSeconds", "outbox_oldest_age_seconds", "Age of the oldest pending event"),
    StatusMetric("dead", "outbox_dead", "Events that Kafka refused for good, in outbox_dead"),
    StatusMetric("published", "relay_published_total", "Events that the broker acknowledged", "counter"),
    StatusMetric("failed", "relay_failed_total", "Deliveries that failed", "counter"),
    StatusMetric("takeovers", "relay_takeovers_total", "How often this relay acquired the lease", "counter"),
    StatusMetric("leader", "relay_is_leader", "1 when this worker's relay holds the lease"),
    StatusMetric("lag", "consumer_lag", "Events on the assigned partitions that are not handled yet"),
    StatusMetric("lagSeconds", "consumer_lag_seconds", "Age of the oldest event that is not handled yet"),
    StatusMetric("assigned", "consumer_assigned_partitions", "Partitions that this member of the group has"),
)
CLOCK_SKEW = StatusMetric("skewSeconds", "clock_skew_seconds", "How far a worker's clock is ahead of its database's")


def dump(registry: CollectorRegistry = REGISTRY) -> Dump:
    """The metrics of this process, as JSON for its status."""
    return [
        {
            "name": family.name,
            "help": family.documentation,
            "kind": family.type,
            "samples": [[s.name, s.labels, s.value] for s in family.samples if not s.name.endswith("_created")],
        }
        for family in registry.collect()
        if not family.name.startswith(OF_THE_INTERPRETER)
    ]


class Families:
    """The metrics of one page, by name. Those of several processes are one family."""

    def __init__(self, families: Iterable[Metric] = ()) -> None:
        self._families = {family.name: family for family in families}

    def collect(self) -> Iterable[Metric]:
        """The families that have samples."""
        return [family for family in self._families.values() if family.samples]

    def add_status(self, status: WorkerStatus, metrics: Sequence[StatusMetric]) -> None:
        """Add the metrics of a worker. `metrics`: the fields of its tasks that are shown."""
        worker = f"{status['host']}:{status['pid']}" if "pid" in status else ""
        common = {"worker": worker} if worker else {}
        for metric in metrics:
            for part, fields in status.get("parts", {}).items():
                self._add_value(metric, fields.get(metric.field), {"part": part, **common})
        self._add_value(CLOCK_SKEW, status.get("clock", {}).get(CLOCK_SKEW.field), common)
        for family in status.get("metrics", ()):
            target = self._family(family["name"], family["help"], family["kind"])
            for name, labels, value in family["samples"]:
                target.add_sample(name, {**labels, **common}, float(value))

    def _add_value(self, metric: StatusMetric, value: object, labels: Mapping[str, str]) -> None:
        if isinstance(value, (int, float)):
            family = self._family(metric.name.removesuffix("_total"), metric.help, metric.kind)
            family.add_sample(metric.name, dict(labels), float(value))

    def _family(self, name: str, text: str, kind: str) -> Metric:
        return self._families.setdefault(name, Metric(name, text, kind))
