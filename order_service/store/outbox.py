"""The service's outbox: an event is stored in the transaction of its change, and the worker's relay publishes it."""

from collections.abc import Sequence

from libs.django_store.outbox import DjangoOutbox
from order_service.store import models, release_requests, reservation_requests


def _note_published(event_ids: Sequence[str]) -> None:
    reservation_requests.note_published(event_ids)
    release_requests.note_published(event_ids)


outbox = DjangoOutbox(
    source="order_service",
    pending=models.Outbox,
    dead=models.OutboxDead,
    lease=models.RelayLease,
    on_published=_note_published,
)
