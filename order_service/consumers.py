"""What the worker does with each event that comes in: bytes in, one use case called."""

from collections.abc import Mapping
from typing import TypeVar

from chassis.drf import AWAY
from messaging.consumer import EventConsumer, Handler, Refused
from messaging.envelope import Event, MalformedEvent
from order_service.catalogue import keep_product
from order_service.connections import renew_connection
from order_service.errors import UnknownOrder
from order_service.events import Product, StockRejected, StockReserved
from order_service.topics import CATALOGUE, CATALOGUE_GROUP, STOCK_GROUP
from order_service.use_cases import confirm_order, reject_order

STOCK_LANES = 2  # a transition waits for the database as long as it computes

Answer = TypeVar("Answer", StockReserved, StockRejected)


def follow_product(event: Event) -> None:
    """Any product-* event is a snapshot of the product. Raises MalformedEvent."""
    product = event.read(Product)
    if product.id != event.subject:
        raise MalformedEvent("id is not the key")
    renew_connection()  # the server may have been away since the last event
    keep_product(product)


def on_stock_reserved(event: Event) -> None:
    """Confirm the order. Raises MalformedEvent, Refused."""
    answer = _read(event, StockReserved)
    try:
        confirm_order(order_id=answer.order_id)
    except UnknownOrder:
        raise Refused("there is no such order") from None


def on_stock_rejected(event: Event) -> None:
    """Reject the order. Raises MalformedEvent, Refused."""
    answer = _read(event, StockRejected)
    try:
        reject_order(order_id=answer.order_id, reason=answer.reason)
    except UnknownOrder:
        raise Refused("there is no such order") from None


HANDLERS: Mapping[str, Mapping[str, Handler]] = {
    CATALOGUE_GROUP: dict.fromkeys(CATALOGUE, follow_product),
    STOCK_GROUP: {StockReserved.topic: on_stock_reserved, StockRejected.topic: on_stock_rejected},
}
"""Each group's handlers by topic."""


def make_consumers(brokers: str) -> list[EventConsumer]:
    """The members of the groups `order-service-catalogue` and `order-service-stock`."""
    catalogue = EventConsumer(brokers, CATALOGUE_GROUP, HANDLERS[CATALOGUE_GROUP], away=AWAY)
    stock = EventConsumer(brokers, STOCK_GROUP, HANDLERS[STOCK_GROUP], away=AWAY, lanes=STOCK_LANES)
    return [catalogue, stock]


def _read(event: Event, model: type[Answer]) -> Answer:
    answer = event.read(model)
    if answer.order_id != event.subject:
        raise MalformedEvent("orderId is not the key")
    renew_connection()
    return answer
