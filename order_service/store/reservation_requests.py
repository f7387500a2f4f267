"""The reservation requests of pending orders: their order-placed events, kept until product_service has replied.

All times are by the database's clock, which all workers share.
"""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import F

from libs.django_store.connection import UTC_NOW
from libs.messaging.envelope import OutboxRow
from order_service.store import models

MAX_RESENDS = 5  # after 30 s * 2^n each: the last one 15 minutes after the order.
# The n-th resend of a request is due 30 s * 2^n after its publication. It is never due while the event is in the outbox.
PUBLISHED = """
UPDATE pending_orders SET published_at = COALESCE(published_at, UTC_TIMESTAMP(6)),
  ask_at = UTC_TIMESTAMP(6) + INTERVAL 30 * POW(2, asks) SECOND
WHERE event_id IN %s
"""
COLUMNS = tuple(field.name for field in fields(OutboxRow))


def add(row: OutboxRow) -> None:
    """Keep the order-placed event of a new order."""
    models.ReservationRequest.objects.create(**asdict(row))


def delete(order_id: str) -> None:
    """Delete the request of an order that is decided."""
    models.ReservationRequest.objects.filter(aggregate_id=order_id).delete()


def note_published(event_ids: Sequence[str]) -> None:
    """Note the publication of the requests among these events, and when each is to be resent."""
    with connection.cursor() as cursor:
        cursor.execute(PUBLISHED, [tuple(event_ids)])


@transaction.atomic
def resend_due(limit: int) -> Sequence[models.ReservationRequest]:
    """Put up to `limit` due requests into the outbox, unchanged; return them. Several workers never resend the same one."""
    due = models.ReservationRequest.objects.filter(resend_at__lte=UTC_NOW, resends__lt=MAX_RESENDS)
    requests = list(due.order_by("resend_at").select_for_update(skip_locked=True)[:limit])
    models.Outbox.objects.bulk_create(
        models.Outbox(**{column: getattr(request, column) for column in COLUMNS}) for request in requests
    )
    resent = models.ReservationRequest.objects.filter(pk__in=[request.pk for request in requests])
    resent.update(resends=F("resends") + 1, resend_at=None)
    return requests


def find_overdue(seconds: int, limit: int) -> list[str]:
    """Up to `limit` orders, by id, whose request was first published more than `seconds` ago; the oldest first."""
    overdue = models.ReservationRequest.objects.filter(published_at__lt=UTC_NOW - timedelta(seconds=seconds))
    return list(overdue.order_by("published_at").values_list("aggregate_id", flat=True)[:limit])
