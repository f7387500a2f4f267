"""The service's outbox: an event is stored in the transaction of its change, and the worker's relay publishes it."""

from libs.django_store.outbox import DjangoOutbox
from order_service.store import models, reservation_requests

outbox = DjangoOutbox(
    source="order_service",
    pending=models.Outbox,
    dead=models.OutboxDead,
    lease=models.RelayLease,
    on_published=reservation_requests.note_published,
)
