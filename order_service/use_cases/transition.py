"""The transition of an order to another status, with its event. The use cases that change a status share it.

A transition is decided on the order that was read. When another event of the order was stored first, the order is read and
decided again. That ends, because the transitions have no cycle.
"""

from libs.access.caller import Caller
from libs.values.times import now
from order_service.domain.actor import SAGA, Actor
from order_service.domain.errors import UnknownOrder
from order_service.domain.order import Order
from order_service.domain.order_status import Status
from order_service.events.published import EVENT_OF
from order_service.store import orders


def find_order(caller: Caller, order_id: str) -> Order:
    """An order that the caller may read. Raises UnknownOrder."""
    if not (order := orders.find(order_id, caller=caller)):
        raise UnknownOrder
    return order


def transition(order: Order, to: Status, *, caller: Caller, actor: Actor) -> Order:
    """Give an order its next status. Raises IllegalTransition, UnknownOrder."""
    reason = f"cancelled_by_{actor.kind}" if to is Status.CANCELLED else None
    while (moved := _move(order, to, reason, actor)) is None:
        order = find_order(caller, order.id)
    return moved


def decide_pending(order_id: str, to: Status, reason: str | None) -> bool:
    """Give a pending order its next status. Return False when the order is already decided. Raises UnknownOrder."""
    while order := orders.find(order_id):
        if order.status is not Status.PENDING:
            return False
        if _move(order, to, reason, SAGA):
            return True
        # The order may still be pending: a request to resend a mail is an event too.
    raise UnknownOrder


def _move(order: Order, to: Status, reason: str | None, actor: Actor) -> Order | None:
    after = order.move_to(to, at=now(), reason=reason)
    return orders.update(order, after, EVENT_OF[to].of(after, order.status), actor=actor)
