"""Metrics that are made from the status of the workers' tasks.

This module does not import prometheus_client. That decides at its import whether gunicorn's processes share their metrics, and
the arbiter imports this module before it has made the directory for them (libs.runtime.telemetry.metrics_files).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

WorkerStatus = Mapping[str, Any]
"""`host`, `pid`, `parts` (the status of each task by name), `clock`, and `metrics`, as `dump` returns them."""


@dataclass(frozen=True, slots=True)
class StatusMetric:
    """A metric with the value of a field of the tasks' status. The task's name is the label `part`.

    The field of a histogram holds `{"buckets": [[upper bound, count], …], "count": …, "sum": …}`.
    """

    field: str
    name: str
    help: str
    kind: Literal["gauge", "counter", "histogram"] = "gauge"


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
    StatusMetric(
        "offsetsOutOfRange", "consumer_offsets_out_of_range_total", "Lost offsets since the process's start", "counter"
    ),
    StatusMetric("open", "consumer_open_events", "Events that are fetched and not done"),
    StatusMetric(
        "uncommitted", "consumer_uncommitted_events", "Events that are done and wait for an open one before them"
    ),
    StatusMetric("heldKeys", "consumer_held_keys", "Keys that wait because an event of theirs failed"),
    StatusMetric(
        "halvings",
        "consumer_batch_halvings_total",
        "Batches that were halved because one of their events failed",
        "counter",
    ),
    StatusMetric("conflicts", "consumer_batch_conflicts_total", "Batches that met another writer", "counter"),
    StatusMetric("limits", "consumer_batch_limits_total", "Batches that met a time limit", "counter"),
    StatusMetric("batchSize", "consumer_batch_events", "Events that were handled in one transaction", "histogram"),
    StatusMetric("batchSeconds", "consumer_batch_seconds", "Time of a transaction for a batch of events", "histogram"),
)
CLOCK_SKEW = StatusMetric("skewSeconds", "clock_skew_seconds", "How far a worker's clock is ahead of its database's")
