"""The health of the web process: what it requires to take traffic, and the status of the workers."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import connection

from libs.runtime.health import CheckFailed, Health, live_workers, worker_check
from libs.runtime.telemetry.status_metrics import StatusMetric
from order_service import __version__
from order_service.store import catalogue
from order_service.store.worker_tables import worker_status

METRICS = (
    StatusMetric(
        "oldestPendingSeconds", "orders_oldest_pending_seconds", "Age of the oldest order that is not decided"
    ),
    StatusMetric(
        "openCancellations", "orders_open_cancellations", "Cancelled orders whose stock is not confirmed as released"
    ),
    StatusMetric(
        "differences", "reconcile_differences", "Orders and reservations that did not agree in the last round"
    ),
)


def check_database() -> Mapping[str, Any]:
    """Raises one of Django's errors when the server is unavailable, CheckFailed when it takes no writes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@global.read_only")
        (read_only,) = cursor.fetchone()
    if read_only in (1, "1", "ON", "READ_ONLY"):
        raise CheckFailed("MySQL is read-only: no order can be stored")
    return {}


def check_catalogue() -> Mapping[str, Any]:
    """Raises CheckFailed until the catalogue was loaded once."""
    if not catalogue.is_loaded():
        raise CheckFailed("the catalogue has not been read to its end yet")
    return {}


health = Health(
    "order_service",
    __version__,
    required={"mysql": check_database, "catalogue": check_catalogue},
    shown={"worker": worker_check(worker_status)},
    workers=partial(live_workers, worker_status),
    metrics=METRICS,
)
