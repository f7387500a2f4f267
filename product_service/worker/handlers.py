"""The handler of each group: it reads the events of a batch, and calls the use case that stores their effect at once."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from libs.access.revocations import Revocation
from libs.messaging.consumer.batch_consumer import BatchConsumer
from libs.messaging.consumer.batches import BatchHandler, Weigh, one_at_a_time, read_each, waking, weigh_one
from libs.messaging.envelope import Event
from libs.messaging.handlers import Handler
from libs.messaging.kafka.brokers import Brokers
from libs.mongo_store.failures import MongoFailures
from libs.mongo_store.revocations import MongoRevocations
from product_service.domain.order_batch import CancelledOrder, DeliveredOrder, OrderRequest, PlacedOrder
from product_service.events import consumed
from product_service.events.topics import GROUP, GROUPS, USERS_GROUP
from product_service.store.documents import db
from product_service.use_cases.decide_orders import decide_orders

Reasons = Mapping[str, str]
"""Why events are refused, by event id."""


def on_orders(events: Sequence[Event], *, currency: str) -> Reasons:
    """Reserve and release the stock of orders, and close the reservations of delivered ones."""
    known, refused = read_each(events, _read_order)
    if known:
        decide_orders([request for _, request in known], currency=currency)
    return refused


def on_revocations(events: Sequence[Event]) -> Reasons:
    """Store revocations, which the web processes read."""
    known, refused = read_each(events, _read_revocation)
    if known:
        MongoRevocations(db()).add_all([revocation for _, revocation in known])
    return refused


def weigh_order(event: Event) -> int:
    """The number of its lines."""
    items = event.data.get("items")
    return max(1, len(items)) if isinstance(items, list) else 1


WEIGHTS: Mapping[str, Weigh] = {GROUP: weigh_order}


def make_batches(currency: str) -> Mapping[str, BatchHandler]:
    """The handler of each group. `currency`: the shop's, for stored prices without one."""
    return {GROUP: partial(on_orders, currency=currency), USERS_GROUP: on_revocations}


def make_handlers(currency: str) -> Mapping[str, Mapping[str, Handler]]:
    """The same for single events, by topic: a replay handles dead letters one by one."""
    batches = make_batches(currency)
    return {group: dict.fromkeys(topics, one_at_a_time(batches[group])) for group, topics in GROUPS.items()}


def make_consumers(brokers: Brokers, currency: str, wake_relay: Callable[[], None]) -> list[BatchConsumer]:
    """The members of the groups `product-service` and `product-service-users`. Each has one batch thread."""
    batches = {**make_batches(currency)}
    batches[GROUP] = waking(batches[GROUP], wake_relay)
    return [
        BatchConsumer(
            brokers, group, GROUPS[group], handle, failures=MongoFailures(db()), weigh=WEIGHTS.get(group, weigh_one)
        )
        for group, handle in batches.items()
    ]


def _read_order(event: Event) -> OrderRequest:
    request = _request_of(event)
    event.require_key(request.order_id)
    return request


def _request_of(event: Event) -> OrderRequest:
    if event.type == consumed.OrderCancelled.topic:
        return CancelledOrder(order_id=event.read(consumed.OrderCancelled).order_id, trace=event.traceparent)
    if event.type == consumed.OrderDelivered.topic:
        return DeliveredOrder(order_id=event.read(consumed.OrderDelivered).order_id)
    if event.type == consumed.StockReleaseRequested.topic:
        asked = event.read(consumed.StockReleaseRequested)
        if asked.delivered:
            return DeliveredOrder(order_id=asked.order_id)
        return CancelledOrder(order_id=asked.order_id, trace=event.traceparent)
    order = event.read(consumed.OrderPlaced)
    return PlacedOrder(
        order_id=order.order_id,
        items=tuple(order.requested_items()),
        placed_at=order.timestamp,
        trace=event.traceparent,
    )


def _read_revocation(event: Event) -> Revocation:
    ended = event.read(consumed.UserRevocation)
    event.require_key(ended.user_id)
    return Revocation(ended.user_id, ended.sid, ended.not_before)
