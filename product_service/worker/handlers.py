"""What the worker does with each event that comes in: bytes in, one use case called."""

from collections.abc import Mapping

from libs.access.revocations import Revocation
from libs.messaging.consumer import EventConsumer
from libs.messaging.envelope import Event, MalformedEvent
from libs.messaging.handler_pool import Handler
from libs.mongo_store.connection import UNAVAILABLE_ERRORS
from libs.mongo_store.revocations import MongoRevocations
from product_service.events.consumed import OrderCancelled, OrderPlaced, UserRevocation
from product_service.events.topics import GROUP, USERS_GROUP
from product_service.store.documents import Product
from product_service.use_cases.reservations import release_stock, reserve_stock


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


def on_user_revocation(event: Event) -> None:
    """Store it, for the web processes to read. Raises MalformedEvent."""
    ended = event.read(UserRevocation)
    _require_key(event, ended.user_id)
    MongoRevocations(Product._get_db()).add(Revocation(ended.user_id, ended.sid, ended.not_before))


HANDLERS: Mapping[str, Mapping[str, Handler]] = {
    GROUP: {OrderPlaced.topic: on_order_placed, OrderCancelled.topic: on_order_cancelled},
    USERS_GROUP: {UserRevocation.topic: on_user_revocation},
}
"""Each group's handlers by topic. One lane each: more writers make a hot product slower (docs/guarantees.md)."""


def make_consumers(brokers: str) -> list[EventConsumer]:
    """The members of the groups `product-service` and `product-service-users`."""
    return [
        EventConsumer(brokers, group, handlers, unavailable=UNAVAILABLE_ERRORS) for group, handlers in HANDLERS.items()
    ]


def _require_key(event: Event, key: str) -> None:
    if event.subject != key:
        raise MalformedEvent("the key is another one")
