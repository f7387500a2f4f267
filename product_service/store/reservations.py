"""Reservations in MongoDB."""

from datetime import timedelta

from libs.values.times import now
from product_service.store.documents import reservations

# An event that comes again must find what was decided: order-placed stays in its topic for 7 days, up to 14 until the segment
# it lies in is dropped, and then 30 days more as a dead letter that may be replayed.
CLOSED_AGE = timedelta(days=60)


def forget_closed() -> int:
    """Delete reservations that were closed CLOSED_AGE ago; return their number.

    One that is RESERVED stays for ever, as its movements do: its order may be cancelled at any time, and gives the stock back.
    """
    return int(reservations().delete_many({"closed_at": {"$lt": now() - CLOSED_AGE}}).deleted_count)
