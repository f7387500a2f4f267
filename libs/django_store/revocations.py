"""Revocations of the last hour in MySQL: rows that the worker writes and every web process reads each second."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from libs.access.revocations import RETENTION_SECONDS, Revocation
from libs.django_store.models import RevocationTable


class DjangoRevocations:
    """The revocations in `table`: what `libs.access.revocations` reads."""

    def __init__(self, table: type[RevocationTable]) -> None:
        self._rows = table._default_manager

    def add(self, one: Revocation) -> None:
        """Store a revocation. A second call with the same one changes nothing."""
        self._rows.get_or_create(
            user_id=one.user_id, sid=one.sid, not_before=one.not_before, defaults={"stored_at": datetime.now(UTC)}
        )

    def since(self, moment: float) -> Iterator[Revocation]:
        """Those that were stored since `moment` (seconds since the epoch)."""
        rows = self._rows.filter(stored_at__gte=datetime.fromtimestamp(moment, UTC))
        for user_id, sid, not_before in rows.values_list("user_id", "sid", "not_before"):
            yield Revocation(user_id, sid, not_before)

    def purge(self) -> int:
        """Delete the rows that are older than any token; return their number."""
        old = datetime.now(UTC) - timedelta(seconds=RETENTION_SECONDS)
        return self._rows.filter(stored_at__lt=old).delete()[0]
