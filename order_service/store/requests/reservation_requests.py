"""The reservation requests of pending orders: their order-placed events, kept until product_service has replied.

All times are by the database's clock, which all workers share.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from libs.django_store.connection import UTC_NOW
from libs.django_store.outbox import event_columns
from libs.django_store.statements import Statement, insert
from libs.messaging.envelope import OutboxRow
from order_service.store import models
from order_service.store.requests import resending

MAX_RESENDS = 5  # after 30 s * 2^n each: the last one 15 minutes after the order.
# Every statement reaches the rows by the order's id, in order: two that took different ways to the same rows would deadlock.
# The n-th resend of a request is due 30 s * 2^n after its publication. It is never due while the event is in the outbox.
PUBLISHED = """
UPDATE pending_orders FORCE INDEX (question_of_order)
SET published_at = COALESCE(published_at, UTC_TIMESTAMP(6)), last_published_at = UTC_TIMESTAMP(6),
  ask_at = UTC_TIMESTAMP(6) + INTERVAL 30 * POW(2, asks) SECOND
WHERE aggregate_id IN %s AND event_id IN %s
"""
# A statement for one table takes no index hint on either server.
DELETE = "DELETE kept FROM pending_orders AS kept FORCE INDEX (question_of_order) WHERE kept.aggregate_id IN %s"
REPLY_TIME = timedelta(seconds=60)  # how long a reply to the last request may take


def insert_request(row: OutboxRow) -> Statement:
    """The statement that keeps the order-placed event of a new order."""
    return insert(models.ReservationRequest, [{**event_columns(row), "asks": 0}])


def delete(order_ids: Collection[str]) -> None:
    """Delete the requests of orders that are decided. No statement for none."""
    resending.delete(DELETE, order_ids)


def note_published(rows: Sequence[OutboxRow]) -> None:
    """Note the publication of these order-placed events, and when each is to be resent. No statement for none."""
    resending.note_published(PUBLISHED, rows)


@transaction.atomic
def resend_due(limit: int) -> Sequence[models.ReservationRequest]:
    """Put up to `limit` due requests into the outbox, unchanged; return them. Several workers never resend the same one."""
    due = models.ReservationRequest.objects.filter(resend_at__lte=UTC_NOW, resends__lt=MAX_RESENDS)
    return resending.resend(due.order_by("resend_at"), limit)


@transaction.atomic
def resend_overdue(seconds: int, limit: int) -> Sequence[models.ReservationRequest]:
    """Put up to `limit` requests into the outbox that were published more than `seconds` ago, and never after that limit."""
    overdue = _overdue(seconds).filter(resend_at__isnull=False).exclude(_published_after(seconds))
    return resending.resend(overdue.order_by("published_at"), limit)


def has_overdue(seconds: int) -> bool:
    """Whether a request was published more than `seconds` ago."""
    return _overdue(seconds).exists()


def find_unanswered(seconds: int, handled_until: datetime, limit: int) -> list[str]:
    """Up to `limit` orders, by id, that product_service did not reply to in time; the oldest first.

    The request was published more than `seconds` ago, and again after that limit. All replies that were published in the
    REPLY_TIME after the last publication are handled: `handled_until` is the time before which all replies are.
    """
    published = Q(last_published_at__lte=handled_until - REPLY_TIME)
    unanswered = _overdue(seconds).filter(published & _published_after(seconds))
    return list(unanswered.order_by("published_at").values_list("aggregate_id", flat=True)[:limit])


def _overdue(seconds: int) -> QuerySet[models.ReservationRequest]:
    return models.ReservationRequest.objects.filter(published_at__lt=UTC_NOW - timedelta(seconds=seconds))


def _published_after(seconds: int) -> Q:
    return Q(last_published_at__gte=F("published_at") + timedelta(seconds=seconds))
