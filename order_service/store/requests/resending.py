"""Resending the requests that are kept until product_service has replied: the reservation requests and the release requests."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import TypeVar

from django.db import connection
from django.db.models import F, QuerySet

from libs.messaging.envelope import OutboxRow
from order_service.store import models

COLUMNS = tuple(field.name for field in fields(OutboxRow))
Request = TypeVar("Request", models.ReservationRequest, models.ReleaseRequest)


def resend(requests: QuerySet[Request], limit: int) -> Sequence[Request]:
    """Put the first `limit` requests into the outbox, unchanged; return them. In the caller's transaction.

    Requests that another transaction resends are left out. A request is not resent again before it is published.
    """
    taken = list(requests.select_for_update(skip_locked=True)[:limit])
    models.Outbox.objects.bulk_create(
        models.Outbox(**{column: getattr(request, column) for column in COLUMNS}) for request in taken
    )
    resent = requests.model._default_manager.filter(pk__in=[request.pk for request in taken])
    resent.update(resends=F("resends") + 1, resend_at=None)
    return taken


def note_published(statement: str, rows: Sequence[OutboxRow]) -> None:
    """Execute `statement` for the requests with these events: order ids, then event ids. No statement for none."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(statement, [tuple(sorted(r.aggregate_id for r in rows)), tuple(r.event_id for r in rows)])


def delete(statement: str, order_ids: Collection[str]) -> None:
    """Execute `statement` for the requests of these orders. No statement for none."""
    if order_ids:
        with connection.cursor() as cursor:
            cursor.execute(statement, [tuple(sorted(order_ids))])
