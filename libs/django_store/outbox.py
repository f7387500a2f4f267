"""The outbox in MySQL: events are rows, stored in the transaction of their change and published by the worker's relay."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime

from django.db import connection, transaction

from libs.django_store.connection import UNAVAILABLE_ERRORS, renew_connection
from libs.django_store.models import DeadEventTable, OutboxTable, RelayLeaseTable
from libs.messaging.envelope import EventData, OutboxRow, new_rows

RENEW = """
UPDATE {table} SET owner = %(owner)s, expires_at = UTC_TIMESTAMP(6) + INTERVAL %(seconds)s SECOND
WHERE name = 'relay' AND (owner = %(owner)s OR expires_at < UTC_TIMESTAMP(6))
"""
CREATE = """
INSERT IGNORE INTO {table} (name, owner, expires_at)
VALUES ('relay', %(owner)s, UTC_TIMESTAMP(6) + INTERVAL %(seconds)s SECOND)
"""
COLUMNS = tuple(field.name for field in fields(OutboxRow))


class DjangoOutbox:
    """A service's outbox. `add` and `requeue` belong to use cases, the other methods to the relay.

    Each method of the relay first renews its connection.
    """

    unavailable = UNAVAILABLE_ERRORS

    def __init__(
        self,
        *,
        source: str,
        pending: type[OutboxTable],
        dead: type[DeadEventTable],
        lease: type[RelayLeaseTable],
        on_published: Callable[[Sequence[str]], None],
    ) -> None:
        """`source`: the service's name in its events. `on_published` gets the event ids, in the transaction that deletes them."""
        self._source, self._on_published = source, on_published
        self._pending, self._dead = pending._default_manager, dead._default_manager
        self._lease_statements = [text.format(table=lease._meta.db_table) for text in (RENEW, CREATE)]

    def add(self, events: Sequence[EventData], *, aggregate_id: str, first_sequence: int) -> list[OutboxRow]:
        """Store an aggregate's events in the caller's transaction, numbered from `first_sequence`; return their rows."""
        rows = new_rows(events, source=self._source, aggregate_id=aggregate_id, first_sequence=first_sequence)
        self._pending.bulk_create([self._pending.model(**asdict(row)) for row in rows])
        return rows

    @transaction.atomic
    def requeue(self, event_ids: Collection[str]) -> int:
        """Move dead events back, to be published unchanged; return how many the outbox holds then.

        An event that is in the outbox already, by a resend or another request, stays there once.
        """
        dead = self._dead.select_for_update().filter(event_id__in=event_ids).order_by("id")
        rows = [self._pending.model(**columns) for columns in dead.values(*COLUMNS)]
        self._pending.bulk_create(rows, ignore_conflicts=True)
        waiting = self._pending.filter(event_id__in=[row.event_id for row in rows]).values_list("event_id", flat=True)
        return self._dead.filter(event_id__in=list(waiting)).delete()[0]

    def renew_lease(self, owner: str, seconds: int) -> bool:
        """Take or keep the lease, by the server's clock. The first call of all creates its row."""
        renew_connection()
        with connection.cursor() as cursor:
            for statement in self._lease_statements:
                cursor.execute(statement, {"owner": owner, "seconds": seconds})
                if cursor.rowcount == 1:
                    return True
        return False

    def pending(self, limit: int) -> Sequence[OutboxRow]:
        """Up to `limit` rows by id. A full batch is completed with the earlier rows of its aggregates."""
        renew_connection()
        rows = [OutboxRow(**row) for row in self._pending.order_by("id").values(*COLUMNS)[:limit]]
        if len(rows) < limit:
            return rows
        highest: dict[str, int] = {}
        for row in rows:
            highest[row.aggregate_id] = max(row.sequence, highest.get(row.aggregate_id, 0))
        others = self._pending.filter(aggregate_id__in=highest).exclude(event_id__in=[row.event_id for row in rows])
        earlier = [OutboxRow(**row) for row in others.values(*COLUMNS)]
        return rows + [row for row in earlier if row.sequence < highest[row.aggregate_id]]

    def delete(self, event_ids: Sequence[str]) -> None:
        """Delete published rows, and report them to `on_published`."""
        if not event_ids:
            return
        renew_connection()
        with transaction.atomic():
            self._pending.filter(event_id__in=event_ids).delete()
            self._on_published(event_ids)

    def move_to_dead(self, row: OutboxRow, reason: str) -> None:
        """Move a row to the dead events with the reason, as it is now: its personal data may have been erased since it was read."""
        renew_connection()
        with transaction.atomic():
            stored = self._pending.select_for_update().filter(event_id=row.event_id)
            for columns in stored.values(*COLUMNS):  # none: a resent event may have been moved before
                dead = self._dead.model(**columns, reason=reason[:200], died_at=datetime.now(UTC))
                self._dead.bulk_create([dead], ignore_conflicts=True)
                stored.delete()

    def count_dead(self) -> int:
        """The number of dead events."""
        renew_connection()
        return self._dead.count()

    def backlog(self) -> tuple[int, float]:
        """(rows, age of the oldest in seconds)."""
        renew_connection()
        oldest = self._pending.order_by("id").values_list("created_at", flat=True).first()
        age = (datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0
        return self._pending.count(), max(0.0, age)
