"""A cancelled order gives its items back to the stock, once."""

from pymongo.client_session import ClientSession

from libs.values.times import now
from product_service.domain.reservation import Reservation
from product_service.store import products, reservations


def release_stock(*, order_id: str, currency: str) -> None:
    """Release what the order holds. An order that has not arrived yet is marked, so that it gets nothing."""

    def release(transaction: ClientSession) -> None:
        at = now()
        before = reservations.find(order_id, currency=currency, transaction=transaction)
        if before is None:
            reservations.add(Reservation.cancelled_first(order_id=order_id, at=at), transaction=transaction)
            return
        after = before.release(at=at)
        if after != before:
            reservations.update(before, after, transaction=transaction)
            products.apply_movements(after.movements(at=at), transaction)

    reservations.transact(release)
