"""The reservation requests of pending orders: their order-placed events, kept until product_service has replied.

All times are by the database's clock, which all workers share.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from libs.django_store.connection import UTC_NOW
from libs.django_store.outbox import event_columns
from libs.django_store.statements import Statement, insert
from libs.messaging.envelope import OutboxRow
from order_service.store import models

MAX_RESENDS = 5  # after 30 s * 2^n each: the last one 15 minutes after the order.
# The n-th resend of a request is due 30 s * 2^n after its publication. It is never due while the event is in the outbox.
PUBLISHED = """
UPDATE pending_orders SET published_at = COALESCE(published_at, UTC_TIMESTAMP(6)), last_published_at = UTC_TIMESTAMP(6),
  ask_at = UTC_TIMESTAMP(6) + INTERVAL 30 * POW(2, asks) SECOND
WHERE event_id IN %s
"""
REPLY_TIME = timedelta(seconds=60)  # how long a reply to the last request may take
COLUMNS = tuple(field.name for field in fields(OutboxRow))


def insert_request(row: OutboxRow) -> Statement:
    """The statement that keeps the order-placed event of a new order."""
    return insert(models.ReservationRequest, [{**event_columns(row), "asks": 0}])


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
    return _resend(due.order_by("resend_at"), limit)


@transaction.atomic
def resend_overdue(seconds: int, limit: int) -> Sequence[models.ReservationRequest]:
    """Put up to `limit` requests into the outbox that were published more than `seconds` ago, and never after that limit."""
    overdue = _overdue(seconds).filter(resend_at__isnull=False).exclude(_asked_after(seconds))
    return _resend(overdue.order_by("published_at"), limit)


def _resend(requests: QuerySet[models.ReservationRequest], limit: int) -> Sequence[models.ReservationRequest]:
    taken = list(requests.select_for_update(skip_locked=True)[:limit])
    models.Outbox.objects.bulk_create(
        models.Outbox(**{column: getattr(request, column) for column in COLUMNS}) for request in taken
    )
    resent = models.ReservationRequest.objects.filter(pk__in=[request.pk for request in taken])
    resent.update(resends=F("resends") + 1, resend_at=None)
    return taken


def has_overdue(seconds: int) -> bool:
    """Whether a request was published more than `seconds` ago."""
    return _overdue(seconds).exists()


def find_unanswered(seconds: int, handled_until: datetime, limit: int) -> list[str]:
    """Up to `limit` orders, by id, that product_service did not reply to in time; the oldest first.

    The request was published more than `seconds` ago, and again after that limit. All replies that were published in the
    REPLY_TIME after the last publication are handled: `handled_until` is the time before which all replies are.
    """
    asked = Q(last_published_at__lte=handled_until - REPLY_TIME)
    unanswered = _overdue(seconds).filter(asked & _asked_after(seconds))
    return list(unanswered.order_by("published_at").values_list("aggregate_id", flat=True)[:limit])


def _overdue(seconds: int) -> QuerySet[models.ReservationRequest]:
    return models.ReservationRequest.objects.filter(published_at__lt=UTC_NOW - timedelta(seconds=seconds))


def _asked_after(seconds: int) -> Q:
    return Q(last_published_at__gte=F("published_at") + timedelta(seconds=seconds))
