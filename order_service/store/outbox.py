"""The one door to Kafka: an event is a row, stored in the transaction of the change it tells of.

Written by the use cases, read by the worker's relay.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, fields

import orjson
from django.db import connection, transaction

from libs.django_store.connection import UNAVAILABLE_ERRORS, renew_connection
from libs.messaging.envelope import OutboxRow, new_row
from order_service.events.published import OrderEvent
from order_service.store.models import Outbox, OutboxDead, now


def store_event(event: OrderEvent, sequence: int) -> OutboxRow:
    """Add an order's event and return its row; `sequence`, the order's counter, was raised in this very transaction."""
    row = new_row(event, source="order_service", aggregate_id=event.order_id, sequence=sequence)
    Outbox.objects.create(**asdict(row))
    return row


@transaction.atomic
def requeue(event_ids: Collection[str]) -> int:
    """Move dead events back, to be published as they were; return how many wait for the relay now.

    One that waits already, because it was asked again or somebody was quicker, does so once.
    """
    dead = OutboxDead.objects.select_for_update().filter(event_id__in=event_ids).order_by("id")
    rows = [Outbox(**columns) for columns in dead.values(*COLUMNS)]
    Outbox.objects.bulk_create(rows, ignore_conflicts=True)
    waiting = Outbox.objects.filter(event_id__in=[row.event_id for row in rows]).values_list("event_id", flat=True)
    return OutboxDead.objects.filter(event_id__in=list(waiting)).delete()[0]


def forget_in_dead(order_ids: Collection[str], username: str) -> None:
    """Take the customer out of these orders' dead events, which stay here for good and may still be revived."""
    for row in OutboxDead.objects.filter(aggregate_id__in=order_ids):
        data = orjson.loads(row.payload) | {"userEmail": None, "username": username}
        OutboxDead.objects.filter(pk=row.pk).update(payload=orjson.dumps(data).decode())


RENEW = """
UPDATE relay_lease SET owner = %(owner)s, expires_at = UTC_TIMESTAMP(6) + INTERVAL %(seconds)s SECOND
WHERE name = 'relay' AND (owner = %(owner)s OR expires_at < UTC_TIMESTAMP(6))
"""
CREATE = """
INSERT IGNORE INTO relay_lease (name, owner, expires_at)
VALUES ('relay', %(owner)s, UTC_TIMESTAMP(6) + INTERVAL %(seconds)s SECOND)
"""
# A question that is on its way for the n-th time is asked again after 30 s * 2^n, and no sooner than it has left the outbox.
PUBLISHED = """
UPDATE pending_orders SET published_at = COALESCE(published_at, UTC_TIMESTAMP(6)),
  ask_at = UTC_TIMESTAMP(6) + INTERVAL 30 * POW(2, asks) SECOND
WHERE event_id IN %s
"""
COLUMNS = tuple(field.name for field in fields(OutboxRow))


class DjangoOutbox:
    """The outbox as the relay sees it. Each method begins with a connection that is known to work."""

    unavailable = UNAVAILABLE_ERRORS

    def renew_lease(self, owner: str, seconds: int) -> bool:
        """Take or keep the lease, by the server's clock; the first one ever creates it."""
        renew_connection()
        with connection.cursor() as cursor:
            for statement in (RENEW, CREATE):
                cursor.execute(statement, {"owner": owner, "seconds": seconds})
                if cursor.rowcount == 1:
                    return True
        return False

    def pending(self, limit: int) -> Sequence[OutboxRow]:
        """Rows by id, all that are still there; a full batch is completed with earlier rows of its aggregates."""
        renew_connection()
        rows = [OutboxRow(**row) for row in Outbox.objects.order_by("id").values(*COLUMNS)[:limit]]
        if len(rows) < limit:
            return rows
        highest: dict[str, int] = {}
        for row in rows:
            highest[row.aggregate_id] = max(row.sequence, highest.get(row.aggregate_id, 0))
        others = Outbox.objects.filter(aggregate_id__in=highest).exclude(event_id__in=[row.event_id for row in rows])
        earlier = [OutboxRow(**row) for row in others.values(*COLUMNS)]
        return rows + [row for row in earlier if row.sequence < highest[row.aggregate_id]]

    def delete(self, event_ids: Sequence[str]) -> None:
        """Forget published rows; of those that ask for stock, note when."""
        if not event_ids:
            return
        renew_connection()
        with transaction.atomic(), connection.cursor() as cursor:
            Outbox.objects.filter(event_id__in=event_ids).delete()
            cursor.execute(PUBLISHED, [tuple(event_ids)])

    def move_to_dead(self, row: OutboxRow, reason: str) -> None:
        """Move a row to outbox_dead with the reason."""
        renew_connection()
        with transaction.atomic():
            moved, _ = Outbox.objects.filter(event_id=row.event_id).delete()
            if moved:  # one that was asked again may have died before
                dead = OutboxDead(**asdict(row), reason=reason[:200], died_at=now())
                OutboxDead.objects.bulk_create([dead], ignore_conflicts=True)

    def backlog(self) -> tuple[int, float]:
        """(rows, age of the oldest in seconds)."""
        renew_connection()
        oldest = Outbox.objects.order_by("id").values_list("created_at", flat=True).first()
        return Outbox.objects.count(), max(0.0, (now() - oldest).total_seconds()) if oldest else 0.0
