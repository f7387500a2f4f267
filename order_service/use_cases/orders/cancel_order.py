"""Cancel an order, by its customer or by staff."""

from libs.access.caller import Caller
from order_service.domain.actor import Actor
from order_service.domain.order import Order
from order_service.domain.order_status import Status
from order_service.use_cases.orders.transition import find_order, transition


def cancel_order(*, caller: Caller, order_id: str) -> Order:
    """Cancel an order of the caller's, or any order by staff. Raises UnknownOrder, NotAllowed, IllegalTransition."""
    order = find_order(caller, order_id)
    if order.owned_by(caller.user_id):
        return transition(order, Status.CANCELLED, caller=caller, actor=Actor.customer(caller.user_id))
    caller.require("staff")
    return transition(order, Status.CANCELLED, caller=caller, actor=Actor.staff(caller.user_id))
