"""The transition of an order to another status, with its event. The use cases that change a status share it.

A transition is decided on the order that was read. When another event of the order was stored first, the order is read and
decided again. That ends, because the transitions have no cycle.
"""

from collections.abc import Callable

from libs.access.caller import Caller
from libs.values.times import now
from order_service.domain.actor import SAGA, Actor
from order_service.domain.errors import UnknownOrder
from order_service.domain.order import Order
from order_service.domain.order_status import Status
from order_service.events.published import EVENT_OF
from order_service.store.order_tables import orders
from order_service.use_cases.orders.metrics import observe_decision


def find_order(caller: Caller, order_id: str) -> Order:
    """An order that the caller may read. Raises UnknownOrder."""
    if not (order := orders.find(order_id, caller=caller)):
        raise UnknownOrder
    return order


def transition(order: Order, to: Status, *, caller: Caller, actor: Actor) -> Order:
    """Give an order its next status. Raises IllegalTransition, UnknownOrder."""
    reason = f"cancelled_by_{actor.kind}" if to is Status.CANCELLED else None
    while (moved := _store(order, order.move_to(to, at=now(), reason=reason), actor)) is None:
        order = find_order(caller, order.id)
    return moved


def decide_pending(order_id: str, decide: Callable[[Order], Order]) -> bool:
    """Give a pending order its next status, which `decide` gives. Return False when it is already decided. Raises UnknownOrder."""
    while order := orders.find(order_id):
        if order.status is not Status.PENDING:
            return False
        if _store(order, decide(order), SAGA):
            return True
        # The order may still be pending: a request to resend a mail is an event too.
    raise UnknownOrder


def _store(before: Order, after: Order, actor: Actor) -> Order | None:
    stored = orders.update(before, after, EVENT_OF[after.status].of(after, before.status), actor=actor)
    if stored:
        observe_decision(before, after)
    return stored
