"""Ask product_service to release what it holds for an order that does not need it. No mail is sent."""

from django.db import transaction

from order_service.events.published import StockReleaseRequested
from order_service.store import reconciliation
from order_service.store.order_tables import orders
from order_service.store.outbox import outbox


@transaction.atomic
def request_release(*, order_id: str, delivered: bool) -> None:
    """Store the request. `delivered`: the items have left for good, so only the reservation ends. The order may be unknown."""
    asks = reconciliation.count_request(order_id)
    sequence = orders.count_event(order_id) or asks  # an order that does not exist has no counter
    event = StockReleaseRequested(order_id=order_id, delivered=delivered)
    outbox.add([event], aggregate_id=order_id, first_sequence=sequence)
