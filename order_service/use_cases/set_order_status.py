"""Set the status of an order, by staff."""

from libs.access.caller import Caller
from order_service.domain.actor import Actor
from order_service.domain.order import Order
from order_service.domain.order_status import Status, require_by_staff
from order_service.use_cases.transition import find_order, transition


def set_order_status(*, caller: Caller, order_id: str, status: Status) -> Order:
    """Ship, deliver or cancel an order, by staff. Raises NotAllowed, UnknownOrder, IllegalTransition."""
    caller.require("staff")
    order = find_order(caller, order_id)
    require_by_staff(status)
    return transition(order, status, caller=caller, actor=Actor.staff(caller.user_id))
