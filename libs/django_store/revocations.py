"""Revocations of the last hour in MySQL: rows that the worker writes and every web process reads each second."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from django.db import connection

from libs.access.revocations import RETENTION_SECONDS, Revocation
from libs.django_store.connection import UTC_NOW
from libs.django_store.models import RevocationTable

READ = """
SELECT UTC_TIMESTAMP(6), held.user_id, held.sid, held.not_before
FROM (SELECT 1) AS one LEFT JOIN {table} AS held ON held.stored_at >= %s
"""


class DjangoRevocations:
    """The revocations in `table`: what `libs.access.revocations` reads."""

    def __init__(self, table: type[RevocationTable]) -> None:
        self._rows = table._default_manager
        self._read_statement = READ.format(table=table._meta.db_table)

    def add(self, revocations: Collection[Revocation]) -> None:
        """Store revocations, at the server's time, by a query and a statement. A second call with the same ones changes nothing.

        A unique key would not find them again, because `sid` may be null. Two rows of one revocation mean the same as one.
        """
        users = sorted({one.user_id for one in revocations})
        known = set(self._rows.filter(user_id__in=users).values_list("user_id", "sid", "not_before"))
        new = sorted({(one.user_id, one.sid, one.not_before) for one in revocations} - known, key=str)
        self._rows.bulk_create(
            self._rows.model(user_id=user_id, sid=sid, not_before=not_before, stored_at=UTC_NOW)
            for user_id, sid, not_before in new
        )

    def read(self, since: datetime | None) -> tuple[datetime, list[Revocation]]:
        """The server's time, and the revocations stored since `since`; all for None."""
        with connection.cursor() as cursor:
            cursor.execute(self._read_statement, [since or datetime.fromtimestamp(0, UTC)])
            rows = cursor.fetchall()
        return rows[0][0].replace(tzinfo=UTC), [Revocation(*row[1:]) for row in rows if row[1] is not None]

    def purge(self) -> int:
        """Delete the rows that are older than any token; return their number."""
        old = UTC_NOW - timedelta(seconds=RETENTION_SECONDS)
        return self._rows.filter(stored_at__lt=old).delete()[0]
