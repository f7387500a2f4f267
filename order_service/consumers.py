"""What the worker does with each event that comes in: bytes in, one use case called."""

from chassis.consumer import EventConsumer
from chassis.drf import AWAY
from chassis.envelope import Event, MalformedEvent
from order_service.catalogue import keep_product
from order_service.connections import renew_connection
from order_service.events import Product
from order_service.topics import CATALOGUE, CATALOGUE_GROUP


def follow_product(event: Event) -> None:
    """Any product-* event is a snapshot of the product. Raises MalformedEvent."""
    product = event.read(Product)
    if product.id != event.subject:
        raise MalformedEvent("id is not the key")
    renew_connection()  # the server may have been away since the last event
    keep_product(product)


def make_catalogue_consumer(brokers: str) -> EventConsumer:
    """The member of group `order-service-catalogue`."""
    return EventConsumer(brokers, CATALOGUE_GROUP, dict.fromkeys(CATALOGUE, follow_product), away=AWAY)
