"""The service's outbox: an event is stored in the transaction of its change, and the worker's relay publishes it."""

from collections.abc import Sequence

from libs.django_store.outbox import DjangoOutbox
from libs.messaging.envelope import OutboxRow
from order_service.events.published import OrderCancelled, OrderPlaced
from order_service.store import models
from order_service.store.requests import release_requests, reservation_requests


def _note_published(rows: Sequence[OutboxRow]) -> None:
    reservation_requests.note_published([row for row in rows if row.topic == OrderPlaced.topic])
    release_requests.note_published([row for row in rows if row.topic == OrderCancelled.topic])


outbox = DjangoOutbox(
    source="order_service",
    pending=models.Outbox,
    dead=models.OutboxDead,
    lease=models.RelayLease,
    on_published=_note_published,
)
