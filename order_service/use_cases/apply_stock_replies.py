"""Apply the replies of product_service: to reservation requests, and to cancellations."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from libs.values.times import now
from order_service.domain.actor import SAGA
from order_service.domain.order import Order
from order_service.domain.order_status import Status
from order_service.domain.rejection import Rejection, StockReply
from order_service.store import order_batches, release_requests


@transaction.atomic
def apply_stock_replies(replies: Sequence[StockReply], *, released: Collection[str] = ()) -> frozenset[str]:
    """Confirm or reject the pending orders in one transaction, and return the ids of orders that do not exist.

    The first reply to an order decides it, and a later one changes nothing. `released`: the orders whose cancellation was
    replied to. It is resent no more, and unknown ones are no matter.
    """
    orders = order_batches.lock({reply.order_id for reply in replies}) if replies else {}
    at, decisions = now(), dict[str, order_batches.Decision]()
    for reply in replies:
        order = orders.get(reply.order_id)
        if order and order.status is Status.PENDING and order.id not in decisions:
            decisions[order.id] = order, _decide(order, reply.rejection, at)
    order_batches.decide(list(decisions.values()), actor=SAGA)
    release_requests.delete(released)
    return frozenset(reply.order_id for reply in replies if reply.order_id not in orders)


def _decide(order: Order, rejection: Rejection | None, at: datetime) -> Order:
    return order.reject(rejection, at=at) if rejection else order.move_to(Status.CONFIRMED, at=at)
