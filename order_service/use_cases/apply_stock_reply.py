"""Apply the reply of product_service to a reservation request."""

from libs.values.times import now
from order_service.domain.order import Order
from order_service.domain.order_status import Status
from order_service.domain.rejection import Rejection
from order_service.use_cases.transition import decide_pending


def apply_stock_reply(*, order_id: str, rejection: Rejection | None) -> bool:
    """Confirm a pending order, or reject it when the reply has a `rejection`.

    Return False when the order is already decided. Raises UnknownOrder.
    """

    def decide(order: Order) -> Order:
        return order.reject(rejection, at=now()) if rejection else order.move_to(Status.CONFIRMED, at=now())

    return decide_pending(order_id, decide)
