"""The handler of each event: it reads the event and calls one use case."""

from collections.abc import Mapping
from functools import partial

from libs.access.revocations import Revocation
from libs.messaging.brokers import Brokers
from libs.messaging.consumer import EventConsumer
from libs.messaging.envelope import Event
from libs.messaging.handler_pool import Handler
from libs.mongo_store.connection import UNAVAILABLE_ERRORS
from libs.mongo_store.revocations import MongoRevocations
from product_service.events.consumed import (
    OrderCancelled,
    OrderDelivered,
    OrderPlaced,
    StockReleaseRequested,
    UserRevocation,
)
from product_service.events.topics import GROUP, USERS_GROUP
from product_service.store.documents import db
from product_service.use_cases.close_reservation import close_reservation
from product_service.use_cases.release_stock import release_stock
from product_service.use_cases.reserve_stock import reserve_stock


def on_order_placed(event: Event, *, currency: str) -> None:
    """Reserve the stock of an order. Raises MalformedEvent."""
    order = event.read(OrderPlaced)
    event.require_key(order.order_id)
    items = order.requested_items()
    reserve_stock(order_id=order.order_id, items=items, placed_at=order.timestamp, currency=currency)


def on_order_cancelled(event: Event, *, currency: str) -> None:
    """Release the stock of an order. Raises MalformedEvent."""
    order = event.read(OrderCancelled)
    event.require_key(order.order_id)
    release_stock(order_id=order.order_id, currency=currency)


def on_order_delivered(event: Event) -> None:
    """Close the reservation of an order. Raises MalformedEvent."""
    order = event.read(OrderDelivered)
    event.require_key(order.order_id)
    close_reservation(order_id=order.order_id)


def on_release_requested(event: Event, *, currency: str) -> None:
    """Release the stock of an order, or close its reservation when it was delivered. Raises MalformedEvent."""
    order = event.read(StockReleaseRequested)
    event.require_key(order.order_id)
    if order.delivered:
        close_reservation(order_id=order.order_id)
    else:
        release_stock(order_id=order.order_id, currency=currency)


def on_user_revocation(event: Event) -> None:
    """Store a revocation, which the web processes read. Raises MalformedEvent."""
    ended = event.read(UserRevocation)
    event.require_key(ended.user_id)
    MongoRevocations(db()).add(Revocation(ended.user_id, ended.sid, ended.not_before))


def make_handlers(currency: str) -> Mapping[str, Mapping[str, Handler]]:
    """The handlers of each group by topic. `currency`: the shop's, for stored prices without one."""
    return {
        GROUP: {
            OrderPlaced.topic: partial(on_order_placed, currency=currency),
            OrderCancelled.topic: partial(on_order_cancelled, currency=currency),
            OrderDelivered.topic: on_order_delivered,
            StockReleaseRequested.topic: partial(on_release_requested, currency=currency),
        },
        USERS_GROUP: {UserRevocation.topic: on_user_revocation},
    }


def make_consumers(brokers: Brokers, currency: str) -> list[EventConsumer]:
    """The members of the groups `product-service` and `product-service-users`.

    Each has one handler thread: more writers make a hot product slower (docs/guarantees.md).
    """
    return [
        EventConsumer(brokers, group, handlers, unavailable=UNAVAILABLE_ERRORS)
        for group, handlers in make_handlers(currency).items()
    ]
