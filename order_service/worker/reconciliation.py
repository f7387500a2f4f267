"""The task that shows how the last comparison of orders and reservations ended. The pages come as events (handlers.py)."""

from collections.abc import Mapping

from libs.django_store.connection import renew_connection
from libs.django_store.failures import is_temporary
from libs.runtime.periodic import PeriodicTask
from libs.values.times import rfc3339
from order_service.store import reconciliation

INTERVAL_SECONDS = 60.0


def make_reconciliation_status() -> PeriodicTask:
    """The task `reconcile`. Its status has the time of the last complete round, None before the first, and the differences."""
    return PeriodicTask("reconcile", lambda: {}, seconds=INTERVAL_SECONDS, is_temporary=is_temporary, status=_status)


def _status() -> Mapping[str, object]:
    renew_connection()
    checked_at = reconciliation.checked_at()
    return {"checkedAt": checked_at and rfc3339(checked_at), "differences": reconciliation.count()}
