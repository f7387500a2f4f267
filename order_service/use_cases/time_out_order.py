"""Cancel a pending order that stock did not decide in time."""

from libs.values.times import now
from order_service.domain.order_status import Status
from order_service.store import reservation_requests
from order_service.use_cases.transition import decide_pending

BATCH_SIZE = 100  # orders a call: each is a transaction of its own


def time_out_order(*, order_id: str) -> bool:
    """Cancel a pending order. Return False when the order is already decided. Raises UnknownOrder."""
    return decide_pending(order_id, lambda order: order.move_to(Status.CANCELLED, at=now(), reason="timeout"))


def time_out_overdue_orders(*, pending_limit: int) -> int:
    """Cancel the orders whose request was published more than `pending_limit` seconds ago; return how many."""
    overdue = reservation_requests.find_overdue(pending_limit, BATCH_SIZE)
    return sum(time_out_order(order_id=order_id) for order_id in overdue)
