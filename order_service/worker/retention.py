"""What nobody will ask for any more is removed: Idempotency-Keys after their day, revocations, sessions, failed sign-ins."""

import threading
import time
from typing import Any

from axes.models import AccessAttempt
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session

from libs.django_store.connection import renew_connection
from libs.runtime.logs import get_logger
from libs.web.drf import UNAVAILABLE_ERRORS
from order_service.store.models import IdempotencyKey, now
from order_service.store.revocations import forget_revocations
from order_service.use_cases.idempotency import KEPT

log = get_logger(__name__)

EVERY_SECONDS = 300.0
BEAT_SECONDS = 5.0
BATCH = 500  # rows a statement: a large one would hold locks, and outlast the time limit of a statement


class Housekeeping:
    """A part of the worker. What a decided order leaves goes with its decision, in use_cases.py."""

    name = "housekeeping"

    def __init__(self) -> None:
        self._due, self._counts, self.heartbeat = (
            0.0,
            dict.fromkeys(("keys", "revocations", "signIns"), 0),
            time.monotonic(),
        )

    def status(self) -> dict[str, Any]:
        """How much was removed since the start."""
        return dict(self._counts)

    def run(self, stop: threading.Event) -> None:
        """Clean up at the start and then every EVERY_SECONDS, until `stop` is set."""
        while not stop.is_set():
            self.heartbeat = time.monotonic()
            if self.heartbeat >= self._due:
                self._clean()
            stop.wait(BEAT_SECONDS)

    def _clean(self) -> None:
        """One batch; the next turn goes on when it was a full one."""
        try:
            removed = forget_keys()
            self._counts["revocations"] += forget_revocations()
            self._counts["signIns"] += forget_sign_ins()
        except UNAVAILABLE_ERRORS as error:
            log.warning("nothing cleaned up: the database is away", error=type(error).__name__)
            return
        self._counts["keys"] += removed
        self._due = self.heartbeat + EVERY_SECONDS if removed < BATCH else 0.0


def forget_sign_ins() -> int:
    """Delete sessions that are over, and failed sign-ins that count no more; return their number."""
    over = Session.objects.filter(expire_date__lt=now()).delete()[0]
    apps.get_model("desk.StaffTokens").objects.filter(expires_at__lt=now()).delete()
    failed: int = AccessAttempt.objects.filter(attempt_time__lt=now() - settings.AXES_COOLOFF_TIME).delete()[0]
    return over + failed


def forget_keys() -> int:
    """Delete keys that are too old to be answered from, at most BATCH; return their number."""
    renew_connection()
    old = IdempotencyKey.objects.filter(created_at__lte=now() - KEPT).order_by("created_at")
    removed, _ = IdempotencyKey.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:BATCH])).delete()
    return removed
