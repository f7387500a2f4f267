"""The status of worker processes in MySQL, written by the worker and shown by the web process."""

from collections.abc import Mapping, Sequence
from typing import Any

from libs.django_store.connection import database_time, renew_connection
from libs.django_store.models import WorkerStatusTable

RETENTION_SECONDS = 3600


class DjangoWorkerStatus:
    """Worker states in `table`, one row a process."""

    def __init__(self, table: type[WorkerStatusTable]) -> None:
        self._rows = table._default_manager

    def now(self) -> float:
        """The server's time, in seconds since the epoch."""
        renew_connection()
        return database_time().timestamp()

    def write(self, worker: str, state: Mapping[str, Any]) -> None:
        """Replace this worker's state. Delete the states of workers that wrote none for an hour."""
        renew_connection()
        row = self._rows.model(worker=worker, beat=state["beat"], state=dict(state))
        self._rows.bulk_create([row], update_conflicts=True, update_fields=["beat", "state"])
        self._rows.filter(beat__lt=state["beat"] - RETENTION_SECONDS).delete()

    def read(self) -> Sequence[Mapping[str, Any]]:
        """All states."""
        return list(self._rows.values_list("state", flat=True))
