"""The outbox in MySQL: events are rows, stored in the transaction of their change and published by the worker's relay."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import fields
from datetime import UTC, datetime

from django.db import connection, transaction

from libs.django_store.connection import renew_connection
from libs.django_store.failures import is_temporary
from libs.django_store.models import DeadEventTable, OutboxTable, RelayLeaseTable
from libs.django_store.statements import Statement, as_stored, insert
from libs.messaging.envelope import EventData, OutboxRow, new_row, new_rows
from libs.messaging.relay import MAX_LEASE_SECONDS

RENEW = """
UPDATE {table} SET owner = %(owner)s, expires_at = UTC_TIMESTAMP(6) + INTERVAL %(seconds)s SECOND
WHERE name = 'relay' AND (
  owner = %(owner)s OR expires_at < UTC_TIMESTAMP(6) OR expires_at > UTC_TIMESTAMP(6) + INTERVAL %(longest)s SECOND
)
"""
CREATE = """
INSERT IGNORE INTO {table} (name, owner, expires_at)
VALUES ('relay', %(owner)s, UTC_TIMESTAMP(6) + INTERVAL %(seconds)s SECOND)
"""
COLUMNS = tuple(field.name for field in fields(OutboxRow))


def event_columns(row: OutboxRow) -> dict[str, object]:
    """The columns of an event for `libs.django_store.statements.insert`."""
    return {**vars(row), "created_at": as_stored(row.created_at)}


class DjangoOutbox:
    """A service's outbox. `add` and `requeue` belong to use cases, the other methods to the relay.

    Each method of the relay first renews its connection.
    """

    is_temporary = staticmethod(is_temporary)

    def __init__(
        self,
        *,
        source: str,
        pending: type[OutboxTable],
        dead: type[DeadEventTable],
        lease: type[RelayLeaseTable],
        on_published: Callable[[Sequence[OutboxRow]], None],
    ) -> None:
        """`source`: the service's name in its events. `on_published` gets the rows, in the transaction that deletes them."""
        self._source, self._on_published = source, on_published
        self._pending, self._dead = pending._default_manager, dead._default_manager
        self._lease_statements = [text.format(table=lease._meta.db_table) for text in (RENEW, CREATE)]

    def add(self, events: Sequence[EventData], *, aggregate_id: str, first_sequence: int) -> list[OutboxRow]:
        """Store an aggregate's events in the caller's transaction, numbered from `first_sequence`; return their rows."""
        rows = self.make_rows(events, aggregate_id=aggregate_id, first_sequence=first_sequence)
        self._insert(rows)
        return rows

    def add_all(self, numbered: Sequence[tuple[EventData, str, int, str]]) -> list[OutboxRow]:
        """Store events of several aggregates in the caller's transaction, by one statement; return their rows.

        `numbered`: each event with its aggregate's id, its sequence, and its trace: as `new_row` has them.
        """
        rows = [
            new_row(event, source=self._source, aggregate_id=of, sequence=number, traceparent=trace)
            for event, of, number, trace in numbered
        ]
        self._insert(rows)
        return rows

    def _insert(self, rows: Sequence[OutboxRow]) -> None:
        self._pending.bulk_create([self._pending.model(**vars(row)) for row in rows])

    def add_again(self, event: EventData, *, aggregate_id: str, sequence: int, event_id: str) -> None:
        """Store an event that was published before, under its own id. One that is in the outbox already stays there once."""
        row = new_row(event, source=self._source, aggregate_id=aggregate_id, sequence=sequence, event_id=event_id)
        self._pending.bulk_create([self._pending.model(**vars(row))], ignore_conflicts=True)

    def make_rows(self, events: Sequence[EventData], *, aggregate_id: str, first_sequence: int) -> list[OutboxRow]:
        """The rows that `add` stores, for a transaction that stores them by a statement of `insert_rows`."""
        return new_rows(events, source=self._source, aggregate_id=aggregate_id, first_sequence=first_sequence)

    def insert_rows(self, rows: Sequence[OutboxRow]) -> Statement:
        """The statement that stores these rows."""
        return insert(self._pending.model, [event_columns(row) for row in rows])

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
                cursor.execute(statement, {"owner": owner, "seconds": seconds, "longest": MAX_LEASE_SECONDS})
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

    def delete(self, rows: Sequence[OutboxRow]) -> None:
        """Delete published rows, and report them to `on_published`."""
        if not rows:
            return
        renew_connection()
        with transaction.atomic():
            self._pending.filter(event_id__in=[row.event_id for row in rows]).delete()
            self._on_published(rows)

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
