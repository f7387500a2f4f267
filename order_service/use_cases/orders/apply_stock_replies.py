"""Apply the replies of product_service: to reservation requests, and to cancellations."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db import transaction

from libs.values.times import now
from order_service.domain.actor import SAGA
from order_service.domain.order import Order
from order_service.domain.order_status import Status
from order_service.domain.rejection import Rejection, StockReply
from order_service.store.order_tables import order_batches
from order_service.store.requests import release_requests
from order_service.use_cases.orders.metrics import observe_decision


class Applied(NamedTuple):
    """The ids of the orders that were decided, and of those that do not exist."""

    decided: frozenset[str]
    unknown: frozenset[str]


@transaction.atomic
def apply_stock_replies(replies: Sequence[StockReply], *, released: Collection[str] = ()) -> Applied:
    """Confirm or reject the pending orders in one transaction.

    The first reply to an order decides it, and a later one changes nothing. `released`: the orders whose cancellation was
    replied to. It is resent no more, and unknown ones are no matter.
    """
    orders = order_batches.lock({reply.order_id for reply in replies}) if replies else {}
    at, decisions = now(), dict[str, order_batches.Decision]()
    for reply in replies:
        order = orders.get(reply.order_id)
        if order and order.status is Status.PENDING and order.id not in decisions:
            after = _decide(order, reply.rejection, at)
            decisions[order.id] = order_batches.Decision(order, after, reply.trace)
    order_batches.decide(list(decisions.values()), actor=SAGA)
    transaction.on_commit(partial(_observe, list(decisions.values())))
    release_requests.delete(released)
    return Applied(frozenset(decisions), frozenset(reply.order_id for reply in replies if reply.order_id not in orders))


def _observe(decisions: Sequence[order_batches.Decision]) -> None:
    for before, after, _ in decisions:
        observe_decision(before, after)


def _decide(order: Order, rejection: Rejection | None, at: datetime) -> Order:
    return order.reject(rejection, at=at) if rejection else order.move_to(Status.CONFIRMED, at=at)
