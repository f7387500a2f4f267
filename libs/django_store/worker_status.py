"""Where the worker leaves its state, for the web process to show."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from libs.django_store.connection import renew_connection
from order_service.store.models import WorkerState

STATE_SECONDS = 3600


class DjangoWorkerStatus:
    """Worker states in table `worker_states`, one row a process."""

    def write(self, worker: str, state: Mapping[str, Any]) -> None:
        """Replace this worker's state; drop those of workers gone for an hour."""
        renew_connection()
        row = WorkerState(worker=worker, beat=state["beat"], state=dict(state))
        WorkerState.objects.bulk_create([row], update_conflicts=True, update_fields=["beat", "state"])
        WorkerState.objects.filter(beat__lt=time.time() - STATE_SECONDS).delete()

    def read(self) -> Sequence[Mapping[str, Any]]:
        """All states."""
        return list(WorkerState.objects.values_list("state", flat=True))
