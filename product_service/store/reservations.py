"""Reservations in MongoDB."""

from libs.values.times import now
from product_service.store.documents import reservations
from product_service.worker.retention import CLOSED_AGE


def forget_closed() -> int:
    """Delete reservations that were closed CLOSED_AGE ago; return their number.

    One that is RESERVED stays for ever, as its movements do: its order may be cancelled at any time, and gives the stock back.
    """
    return int(reservations().delete_many({"closed_at": {"$lt": now() - CLOSED_AGE}}).deleted_count)
