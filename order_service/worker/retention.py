"""The periodic task that deletes old rows: Idempotency-Keys after a day, revocations, sessions, failed sign-ins.

The tokens of the desk expire as their sessions do. Django looks up their model by name, because no worker imports the desk.
"""

import threading
import time
from typing import Any

from axes.models import AccessAttempt
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session

from libs.django_store.connection import UNAVAILABLE_ERRORS, renew_connection
from libs.runtime.logs import get_logger
from libs.values.times import now
from order_service.store import idempotency_keys
from order_service.store.worker_tables import stored_revocations

log = get_logger(__name__)

INTERVAL_SECONDS = 300.0
HEARTBEAT_SECONDS = 5.0


class Retention:
    """A task of the worker. The rows of pending orders are deleted with their transition instead (store/orders.py)."""

    name = "housekeeping"

    def __init__(self) -> None:
        self._due, self.heartbeat = 0.0, time.monotonic()
        self._counts = {"keys": 0, "revocations": 0, "signIns": 0}

    def status(self) -> dict[str, Any]:
        """The numbers of rows that were deleted since the start."""
        return dict(self._counts)

    def run(self, stop: threading.Event) -> None:
        """Purge at the start and then every INTERVAL_SECONDS, until `stop` is set."""
        while not stop.is_set():
            self.heartbeat = time.monotonic()
            if self.heartbeat >= self._due:
                self._purge()
            stop.wait(HEARTBEAT_SECONDS)

    def _purge(self) -> None:
        """Delete one batch. After a full batch of keys the next turn continues."""
        try:
            renew_connection()
            removed = idempotency_keys.purge()
            self._counts["revocations"] += stored_revocations.purge()
            self._counts["signIns"] += purge_sign_ins()
        except UNAVAILABLE_ERRORS as error:
            log.warning("nothing purged: the database is unavailable", error=type(error).__name__)
            return
        self._counts["keys"] += removed
        self._due = self.heartbeat + INTERVAL_SECONDS if removed < idempotency_keys.BATCH_SIZE else 0.0


def purge_sign_ins() -> int:
    """Delete sessions and tokens of the desk that have expired, and failed sign-ins that no longer count; return their number."""
    ended = Session.objects.filter(expire_date__lt=now()).delete()[0]
    ended += apps.get_model("desk.StaffTokens").objects.filter(expires_at__lt=now()).delete()[0]
    failed: int = AccessAttempt.objects.filter(attempt_time__lt=now() - settings.AXES_COOLOFF_TIME).delete()[0]
    return ended + failed
