"""Tokens and sessions that were ended early: rows that the worker writes and every web process reads each second."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from libs.access.revocations import RETENTION_SECONDS, Revocation, Revocations
from order_service.store.models import RevocationRow


def store_revocation(one: Revocation) -> None:
    """Keep it for the web processes; a second time changes nothing."""
    RevocationRow.objects.get_or_create(
        user_id=one.user_id, sid=one.sid, not_before=one.not_before, defaults={"stored_at": datetime.now(UTC)}
    )


def read_revocations(since: float) -> Iterator[Revocation]:
    """Those that were stored since a moment, in seconds since the epoch."""
    rows = RevocationRow.objects.filter(stored_at__gte=datetime.fromtimestamp(since, UTC))
    for user_id, sid, not_before in rows.values_list("user_id", "sid", "not_before"):
        yield Revocation(user_id, sid, not_before)


def forget_revocations() -> int:
    """Delete those that every token has outlived; return their number."""
    old = datetime.now(UTC) - timedelta(seconds=RETENTION_SECONDS)
    return RevocationRow.objects.filter(stored_at__lt=old).delete()[0]


revocations = Revocations(read_revocations)
"""What this process knows; it reads when it is asked."""
