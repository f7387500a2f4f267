"""How long orders wait for their decision, as a metric."""

from prometheus_client import Histogram

from order_service.domain.order import Order
from order_service.domain.order_status import Status

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)
"""Seconds. The goal is 1 s for 95 % of the orders (docs/guarantees.md)."""

DECISION_SECONDS = Histogram(
    "order_decision_seconds", "Time from an order to its decision", ["outcome"], buckets=BUCKETS
)


def observe_decision(before: Order, after: Order) -> None:
    """Observe the transition of an order, if it is the one that decided it. `outcome` is its status then."""
    if before.status is Status.PENDING:
        seconds = (after.updated_at - before.created_at).total_seconds()
        DECISION_SECONDS.labels(str(after.status)).observe(max(0.0, seconds))
