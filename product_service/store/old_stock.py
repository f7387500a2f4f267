"""Old reservations and movements. They are deleted together, so that each stock stays the sum of its movements.

What the deleted movements of a product sum up to stays as one movement, at CARRIED_AT.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from libs.mongo_store.connection import Bson
from libs.values.times import now
from product_service.domain.product_change import CHANGE_RETENTION
from product_service.domain.reservation import Status
from product_service.store import documents
from product_service.store.reservations import transact

# An event that comes again must find the decision. order-placed stays in its topic for 7 days, up to 14 until its segment is
# deleted, and 30 days more as a dead letter that may be replayed.
RESERVATION_RETENTION = timedelta(days=60)
BATCH_SIZE = 100  # reservations, or movements of staff, per transaction
CARRIED, CARRIED_AT = "carried forward", datetime(1970, 1, 1, tzinfo=UTC)


def purge_reservations() -> int:
    """Delete up to BATCH_SIZE reservations that were closed RESERVATION_RETENTION ago, with their movements. Return their number.

    One in force stays: its order may be cancelled at any time and then gives the stock back.
    """
    old = {"closed_at": {"$lt": now() - RESERVATION_RETENTION}}

    def purge(transaction: ClientSession) -> int:
        rows = list(documents.reservations().find(old, session=transaction).sort("closed_at", 1).limit(BATCH_SIZE))
        _carry([movement for row in rows for movement in _movements_of(row, transaction)], transaction)
        documents.reservations().delete_many({"_id": {"$in": [row["_id"] for row in rows]}}, session=transaction)
        return len(rows)

    return transact(purge)


def purge_movements() -> int:
    """Delete up to BATCH_SIZE movements by staff that are older than the list of their changes. Return their number."""
    old = {"ref": None, "at": {"$gt": CARRIED_AT, "$lt": now() - CHANGE_RETENTION}}

    def purge(transaction: ClientSession) -> int:
        found = documents.movements().find(old, session=transaction).sort("at", 1).limit(BATCH_SIZE)
        rows = list(found.hint("of_no_order"))
        _carry(rows, transaction)
        return len(rows)

    return transact(purge)


def _movements_of(reservation: Bson, transaction: ClientSession) -> Iterator[Bson]:
    """The movements of a reservation: at its decision, and at its release. They have its times, so an index finds them."""
    if reservation["state"] == Status.REJECTED:
        return
    times = [reservation["created_at"], reservation["closed_at"]]
    for product in sorted({item["product"] for item in reservation["items"]}):
        which = {"product": product, "at": {"$in": times}, "ref": reservation["_id"]}
        yield from documents.movements().find(which, session=transaction)


def _carry(movements: Sequence[Bson], transaction: ClientSession) -> None:
    """Delete the movements, and add their sum to the one that is carried forward."""
    sums: Counter[ObjectId] = Counter()
    for movement in movements:
        sums[movement["product"]] += movement["delta"]
    carried = [
        UpdateOne({"product": product, "at": CARRIED_AT, "reason": CARRIED}, {"$inc": {"delta": delta}}, upsert=True)
        for product, delta in sorted(sums.items())
        if delta
    ]
    if movements:
        ids = [movement["_id"] for movement in movements]
        documents.movements().delete_many({"_id": {"$in": ids}}, session=transaction)
    if carried:
        documents.movements().bulk_write(carried, session=transaction)
