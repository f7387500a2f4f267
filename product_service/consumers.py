"""What the worker does with each event that comes in: bytes in, one use case called."""

from messaging.consumer import EventConsumer
from messaging.envelope import Event, MalformedEvent
from messaging.mongo import AWAY
from product_service.events import OrderCancelled, OrderPlaced
from product_service.reservations import release_stock, reserve_stock
from product_service.topics import GROUP


def on_order_placed(event: Event) -> None:
    """Reserve its stock. Raises MalformedEvent."""
    order = event.read(OrderPlaced)
    _require_key(event, order.order_id)
    reserve_stock(order_id=order.order_id, lines=order.items, placed_at=order.timestamp)


def on_order_cancelled(event: Event) -> None:
    """Give its stock back. Raises MalformedEvent."""
    order = event.read(OrderCancelled)
    _require_key(event, order.order_id)
    release_stock(order_id=order.order_id)


HANDLERS = {OrderPlaced.topic: on_order_placed, OrderCancelled.topic: on_order_cancelled}


def make_consumer(brokers: str) -> EventConsumer:
    """The member of group `product-service`. It has one lane: more writers make a hot product slower (docs/guarantees.md)."""
    return EventConsumer(brokers, GROUP, HANDLERS, away=AWAY)


def _require_key(event: Event, order_id: str) -> None:
    if event.subject != order_id:
        raise MalformedEvent("orderId is not the key")
