"""The metrics of one page: those of the web processes, and those of the workers.

A worker has no port. Its own metrics travel in its status, which it writes to its database. The web process shows them at /metrics,
with the label `worker`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import CollectorRegistry

from libs.runtime.telemetry.status_metrics import CLOCK_SKEW, StatusMetric, WorkerStatus

Dump = Sequence[Mapping[str, object]]

OF_THE_INTERPRETER = ("python_", "process_")  # the web process has these, too


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
        if metric.kind == "histogram" and isinstance(value, Mapping):
            self._add_histogram(metric, value, labels)
        elif isinstance(value, (int, float)):
            family = self._family(metric.name.removesuffix("_total"), metric.help, metric.kind)
            family.add_sample(metric.name, dict(labels), float(value))

    def _add_histogram(self, metric: StatusMetric, value: Mapping[str, Any], labels: Mapping[str, str]) -> None:
        family = self._family(metric.name, metric.help, metric.kind)
        for bound, count in [*value["buckets"], ("+Inf", value["count"])]:
            text = bound if isinstance(bound, str) else str(float(bound))
            family.add_sample(f"{metric.name}_bucket", {**labels, "le": text}, float(count))
        family.add_sample(f"{metric.name}_count", dict(labels), float(value["count"]))
        family.add_sample(f"{metric.name}_sum", dict(labels), float(value["sum"]))

    def _family(self, name: str, text: str, kind: str) -> Metric:
        return self._families.setdefault(name, Metric(name, text, kind))
