"""Apply the reply of product_service to a reservation request."""

from order_service.domain.order_status import Status
from order_service.use_cases.transition import decide_pending


def apply_stock_reply(*, order_id: str, rejection: str | None) -> bool:
    """Confirm a pending order, or reject it when the reply has a `rejection`: its reason, such as `out_of_stock`.

    Return False when the order is already decided. Raises UnknownOrder.
    """
    return decide_pending(order_id, Status.REJECTED if rejection else Status.CONFIRMED, rejection)
