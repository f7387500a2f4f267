"""A cancelled order gives its items back to the stock, once, and gets a reply, which a repeated cancellation gets again."""

from pymongo.client_session import ClientSession

from libs.values.times import now
from product_service.domain.reservation import Reservation
from product_service.events.published import StockReleased
from product_service.store import products, reservations


def release_stock(*, order_id: str, currency: str) -> None:
    """Release what the order holds, and store the reply. An order that has not arrived yet is marked, so that it gets nothing."""

    def release(transaction: ClientSession) -> bool:
        """Return False for an order that is cancelled already."""
        at = now()
        before = reservations.find(order_id, currency=currency, transaction=transaction)
        if before is None:
            mark = Reservation.cancelled_first(order_id=order_id, at=at)
            reservations.add(mark, StockReleased.of(mark), transaction=transaction)
            return True
        after = before.release(at=at)
        if after == before:
            return False
        reservations.update(before, after, StockReleased.of(after), transaction=transaction)
        if after.status is not before.status:
            products.apply_movements(after.movements(at=at), transaction)
        return True

    if not reservations.transact(release):
        reservations.resend_reply(order_id)
