"""Resending the requests that are kept until product_service has replied: the reservation requests and the release requests."""

from collections.abc import Sequence
from dataclasses import fields
from typing import TypeVar

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
