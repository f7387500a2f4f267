"""Publish the reservations in force, so that order_service can compare them with its orders. A round a day, page by page."""

from pymongo.client_session import ClientSession

from libs.values.times import rfc3339
from product_service.domain.held_page import MAX_RESERVATIONS, first_of
from product_service.events.published import HeldReservation, Pieces, StockHeld
from product_service.store import held_rounds, reservations


def publish_next_page(*, currency: str) -> bool:
    """Store the event of the page that is due. Return False when none is due."""

    def publish(transaction: ClientSession) -> bool:
        turn = held_rounds.take_turn(transaction)
        if turn is None:
            return False
        found = reservations.find_in_force(
            after=turn.after, limit=MAX_RESERVATIONS + 1, currency=currency, transaction=transaction
        )
        page = first_of(found)
        event = StockHeld(
            round=turn.round,
            after=turn.after,
            until=page[-1].order_id if len(page) < len(found) else None,
            as_of=rfc3339(turn.as_of),
            reservations=[HeldReservation(order_id=one.order_id, items=Pieces.rows(one.pieces)) for one in page],
        )
        held_rounds.store_page(event, turn, transaction)
        return True

    return reservations.transact(publish)
