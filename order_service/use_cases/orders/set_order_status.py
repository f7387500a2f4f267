"""Set the status of an order, by staff."""

from dataclasses import dataclass

from libs.access.caller import Caller
from order_service.domain.actor import Actor
from order_service.domain.errors import IllegalTransition
from order_service.domain.order import Order
from order_service.domain.order_status import Status, require_by_staff
from order_service.use_cases.orders.transition import find_order, transition


@dataclass(frozen=True)
class StatusSet:
    """The order with the status, and whether this call has set it. Otherwise it had the status before."""

    order: Order
    is_changed: bool


def set_order_status(*, caller: Caller, order_id: str, status: Status) -> StatusSet:
    """Ship, deliver or cancel an order, by staff. An order that has the status stays as it is, so a request may be repeated.

    Raises NotAllowed, UnknownOrder, IllegalTransition.
    """
    caller.require("staff")
    order = find_order(caller, order_id)
    if order.status is status:
        return StatusSet(order, is_changed=False)
    require_by_staff(status)
    try:
        moved = transition(order, status, caller=caller, actor=Actor.staff(caller.user_id))
    except IllegalTransition:
        order = find_order(caller, order_id)
        if order.status is not status:  # another request has not set it at the same time
            raise
        return StatusSet(order, is_changed=False)
    return StatusSet(moved, is_changed=True)
