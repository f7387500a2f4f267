"""The periodic task that deletes old rows: Idempotency-Keys after a day, revocations, sessions, failed sign-ins, old records.

The rows of pending orders are deleted with their transition instead (store/orders.py).
"""

from collections.abc import Mapping

from axes.models import AccessAttempt
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session

from libs.django_store.connection import renew_connection
from libs.django_store.failures import is_temporary
from libs.runtime.periodic import PeriodicTask
from libs.values.times import now
from order_service.store.order_tables import idempotency_keys, old_records
from order_service.store.worker_tables import stored_revocations

INTERVAL_SECONDS = 300.0


def make_retention() -> PeriodicTask:
    """The task. Its status holds the numbers of deleted rows. After a full batch it continues soon."""
    return PeriodicTask(
        "housekeeping",
        purge,
        seconds=INTERVAL_SECONDS,
        is_temporary=is_temporary,
        counts=["keys", "revocations", "signIns", "records"],
        batch=idempotency_keys.BATCH_SIZE,
    )


def purge() -> Mapping[str, int]:
    """Delete one batch of keys and of old records, and all other old rows. Return their numbers."""
    renew_connection()
    keys = idempotency_keys.purge()
    return {
        "keys": keys,
        "revocations": stored_revocations.purge(),
        "signIns": purge_sign_ins(),
        "records": old_records.purge(),
    }


def purge_sign_ins() -> int:
    """Delete sessions and tokens of the desk that have expired, and failed sign-ins that no longer count. Return their number."""
    ended = Session.objects.filter(expire_date__lt=now()).delete()[0]
    ended += apps.get_model("desk.StaffTokens").objects.filter(expires_at__lt=now()).delete()[0]
    failed: int = AccessAttempt.objects.filter(attempt_time__lt=now() - settings.AXES_COOLOFF_TIME).delete()[0]
    return ended + failed
