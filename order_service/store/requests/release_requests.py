"""The release requests of cancelled orders: their order-cancelled events, kept until product_service has replied.

They are resent without an end: an order that product_service does not know as cancelled holds its stock for ever.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict

from django.db import transaction

from libs.django_store.connection import UTC_NOW
from libs.messaging.envelope import OutboxRow
from order_service.store import models
from order_service.store.requests import resending

# The n-th resend of a request is due 30 s * 2^n after its publication, from the 7th on an hour. It is never due while the event is
# in the outbox.
PUBLISHED = """
UPDATE release_requests FORCE INDEX (release_of_order)
SET resend_at = UTC_TIMESTAMP(6) + INTERVAL LEAST(3600, 30 * POW(2, LEAST(resends, 7))) SECOND
WHERE aggregate_id IN %s AND event_id IN %s
"""
DELETE = "DELETE kept FROM release_requests AS kept FORCE INDEX (release_of_order) WHERE kept.aggregate_id IN %s"


def add(row: OutboxRow) -> None:
    """Keep the order-cancelled event of an order."""
    models.ReleaseRequest.objects.create(**asdict(row))


def delete(order_ids: Collection[str]) -> None:
    """Delete the requests of orders that product_service has replied to. No statement for none."""
    resending.delete(DELETE, order_ids)


def note_published(rows: Sequence[OutboxRow]) -> None:
    """Note when each request among these order-cancelled events is to be resent. No statement for none."""
    resending.note_published(PUBLISHED, rows)


@transaction.atomic
def resend_due(limit: int) -> Sequence[models.ReleaseRequest]:
    """Put up to `limit` due requests into the outbox, unchanged; return them. Several workers never resend the same one."""
    return resending.resend(models.ReleaseRequest.objects.filter(resend_at__lte=UTC_NOW).order_by("resend_at"), limit)


def count() -> int:
    """The number of cancellations that product_service has not replied to."""
    return models.ReleaseRequest.objects.count()
