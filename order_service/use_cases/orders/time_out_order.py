"""Cancel a pending order that stock did not decide in time.

An outage must not cancel an order that stock has decided, or could decide. So the age alone is not enough: the request is published
again after the limit, and every reply of the following minute is handled before the order is cancelled.
"""

from collections.abc import Callable
from datetime import datetime

from libs.values.times import now
from order_service.domain.order_status import Status
from order_service.store.requests import reservation_requests
from order_service.use_cases.orders.transition import decide_pending

BATCH_SIZE = 100  # orders a call: each is a transaction of its own


def time_out_order(*, order_id: str) -> bool:
    """Cancel a pending order. Return False when the order is already decided. Raises UnknownOrder."""
    return decide_pending(order_id, lambda order: order.move_to(Status.CANCELLED, at=now(), reason="timeout"))


def time_out_overdue_orders(*, pending_limit: int, handled_until: Callable[[], datetime | None]) -> int:
    """Cancel the orders whose request was first published more than `pending_limit` seconds ago; return how many.

    `handled_until` returns the time before which all replies are handled, None when it is unknown. It is called only while an
    order is overdue.
    """
    if not reservation_requests.has_overdue(pending_limit):
        return 0
    reservation_requests.resend_overdue(pending_limit, BATCH_SIZE)
    handled = handled_until()
    if handled is None:
        return 0
    unanswered = reservation_requests.find_unanswered(pending_limit, handled, BATCH_SIZE)
    return sum(time_out_order(order_id=order_id) for order_id in unanswered)
