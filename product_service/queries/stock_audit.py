"""Whether stock, movements and reservations agree in the database at one moment.

The stock of a product is the sum of its movements. A reserved order holds its items and nothing else. No other order holds
anything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from heapq import merge
from itertools import groupby

import pymongo
from pymongo.client_session import ClientSession

from product_service.domain.reservation import Status, pieces_of
from product_service.store import documents

DEADLINE_SECONDS = 240  # a snapshot can be read for 300 s (minSnapshotHistoryWindowInSeconds)

Pieces = dict[str, int]  # by product id


@contextmanager
def snapshot() -> Iterator[ClientSession]:
    """One moment of the database, to be read within DEADLINE_SECONDS."""
    with pymongo.timeout(DEADLINE_SECONDS), documents.db().client.start_session(snapshot=True) as moment:
        yield moment


def find_violations(moment: ClientSession) -> Iterator[str]:
    """A sentence for each violation."""
    yield from _wrong_stocks(moment)
    yield from _wrong_reservations(moment)


def count_checked(moment: ClientSession) -> tuple[int, int]:
    """The numbers of products and of reservations."""
    products, reservations = documents.products(), documents.reservations()
    return products.count_documents({}, session=moment), reservations.count_documents({}, session=moment)


def _wrong_stocks(moment: ClientSession) -> Iterator[str]:
    """Both sides are read sorted by product id and side by side, because they may not fit into memory."""
    moved = documents.movements().aggregate(MOVED_BY_PRODUCT, allowDiskUse=True, session=moment)
    kept = documents.products().find({}, {"stock": 1}, session=moment).sort("_id", 1)
    by_product = groupby(merge(kept, moved, key=lambda row: row["_id"]), key=lambda row: row["_id"])
    for product_id, rows in by_product:
        stock, total = None, 0
        for row in rows:
            stock, total = row.get("stock", stock), row.get("moved", total)
        if stock is None:
            yield f"product {product_id}: has movements, but does not exist"
        elif stock != total:
            yield f"product {product_id}: stock {stock}, but its movements sum to {total}"


def _wrong_reservations(moment: ClientSession) -> Iterator[str]:
    """Both sides are read sorted by order id and side by side, because they may not fit into memory."""
    held = documents.movements().aggregate(HELD_BY_ORDER, allowDiskUse=True, session=moment)
    kept = documents.reservations().find({}, {"state": 1, "items": 1}, session=moment).sort("_id", 1)
    by_order = groupby(merge(kept, held, key=lambda row: row["_id"]), key=lambda row: row["_id"])
    for order_id, rows in by_order:
        status, due, holds = "without a reservation", Pieces(), Pieces()
        for row in rows:
            if "held" in row:
                holds = pieces_of((str(entry["product"]), -entry["delta"]) for entry in row["held"])
                continue
            status = row["state"]
            if status == Status.RESERVED:
                due = pieces_of((str(item["product"]), item["quantity"]) for item in row["items"])
        if holds != due:
            yield f"order {order_id}: {status}, holds {_text(holds)} but should hold {_text(due)}"


def _text(pieces: Pieces) -> str:
    return ", ".join(f"{quantity} of {product_id}" for product_id, quantity in pieces.items()) or "nothing"


MOVED_BY_PRODUCT = [{"$group": {"_id": "$product", "moved": {"$sum": "$delta"}}}, {"$sort": {"_id": 1}}]
HELD_BY_ORDER = [
    {"$match": {"ref": {"$type": "string"}}},
    {"$group": {"_id": {"order": "$ref", "product": "$product"}, "delta": {"$sum": "$delta"}}},
    {"$match": {"delta": {"$ne": 0}}},
    {"$group": {"_id": "$_id.order", "held": {"$push": {"product": "$_id.product", "delta": "$delta"}}}},
    {"$sort": {"_id": 1}},
]
