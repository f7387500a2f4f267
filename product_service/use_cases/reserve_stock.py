"""An order reserves all of its items or none, once.

The order's id is the key of its reservation, so an event that comes again finds the decision. Reservation, stock, movements and
reply are one transaction. A reservation never expires: order_service alone ends orders.
"""

from collections.abc import Sequence
from datetime import datetime

from pymongo.client_session import ClientSession

from libs.values.times import now
from product_service.domain.reservation import RequestedItem, Reservation, earlier_prices
from product_service.events.published import StockReply
from product_service.store import price_history, products, reservations


def reserve_stock(*, order_id: str, items: Sequence[RequestedItem], placed_at: datetime, currency: str) -> None:
    """Reserve the items or reject the order, and store the reply. An order that is decided gets its last reply again."""

    def reserve(transaction: ClientSession) -> None:
        product_ids = {item.product_id for item in items}
        found = products.find_many(product_ids, currency=currency, transaction=transaction)
        at, ends = now(), price_history.find_ends(earlier_prices(items, found), transaction=transaction)
        reservation = Reservation.decide(
            order_id=order_id, items=items, products=found, price_ends=ends, placed_at=placed_at, at=at
        )
        reservations.add(reservation, StockReply.of(reservation), transaction=transaction)
        products.apply_movements(reservation.movements(at=at), transaction)

    try:
        reservations.transact(reserve)
    except reservations.AlreadyDecided:
        reservations.resend_reply(order_id)
