"""The events that Kafka refused for good."""

from collections.abc import Collection

from order_service.domain.order_status import Status
from order_service.events.published import OrderPlaced
from order_service.store import models


def find_settled_requests(event_ids: Collection[str]) -> set[str]:
    """Those of these dead events that are reservation requests of orders decided since."""
    dead = models.OutboxDead.objects.filter(event_id__in=event_ids, topic=OrderPlaced.topic)
    requests = dict(dead.values_list("aggregate_id", "event_id"))
    decided = models.Order.objects.filter(id__in=requests).exclude(status=Status.PENDING)
    return {requests[order_id] for order_id in decided.values_list("id", flat=True)}
