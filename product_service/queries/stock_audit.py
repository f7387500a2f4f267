"""`python -m product_service check-stock`: the promises of the stock, verified on what the database holds at one moment.

stock = the sum of a product's movements; a reserved order holds its items and nothing else; no other order holds anything.
"""

import sys
from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from typing import Any

import pymongo
from pymongo.client_session import ClientSession

from product_service.domain.reservation import State
from product_service.store.documents import Product, movements, products, reservations
from product_service.use_cases.reservations import pieces_of

DEADLINE_SECONDS = 240  # a snapshot can be read for 300 s (minSnapshotHistoryWindowInSeconds)

Row = dict[str, Any]


def check_stock() -> int:
    """Print a line for each violation and a summary; return 1 if there is one, else 0. Reads only."""
    with pymongo.timeout(DEADLINE_SECONDS), Product._get_db().client.start_session(snapshot=True) as session:
        violations = 0
        for violation in find_violations(session):
            violations += 1
            sys.stdout.write(f"{violation}\n")
        checked = [collection.count_documents({}, session=session) for collection in (products(), reservations())]
    sys.stdout.write("{} products, {} reservations: {} violations\n".format(*checked, violations))
    return 1 if violations else 0


def find_violations(session: ClientSession) -> Iterator[str]:
    """What is wrong in the snapshot of `session`, in words."""
    yield from _wrong_stocks(session)
    yield from _wrong_reservations(session)


def _wrong_stocks(session: ClientSession) -> Iterator[str]:
    total = {"$group": {"_id": "$product", "moved": {"$sum": "$delta"}}}
    moved = {row["_id"]: row["moved"] for row in movements().aggregate([total], session=session)}
    for product in products().find({}, {"stock": 1}, session=session):
        total_moved = moved.pop(product["_id"], 0)
        if product["stock"] != total_moved:
            yield f"product {product['_id']}: stock {product['stock']}, but its movements sum to {total_moved}"
    yield from (f"product {product}: has movements, but does not exist" for product in moved)


def _wrong_reservations(session: ClientSession) -> Iterator[str]:
    """Both sides come sorted by the order's id and are read side by side, for there may be more than fit into memory."""
    held = movements().aggregate(HELD_BY_ORDER, allowDiskUse=True, session=session)
    kept = reservations().find({}, {"state": 1, "items": 1}, session=session).sort("_id", 1)
    by_order = groupby(merge(kept, held, key=lambda row: row["_id"]), key=lambda row: row["_id"])
    for order_id, rows in by_order:
        order: Row = {"state": "without a reservation", "items": [], "held": []}
        for row in rows:
            order |= row
        due = pieces_of(order["items"]) if order["state"] == State.RESERVED else {}
        holds = {entry["product"]: -entry["delta"] for entry in order["held"]}
        if holds != due:
            yield f"order {order_id}: {order['state']}, holds {_words(holds)} but should hold {_words(due)}"


def _words(pieces: Any) -> str:
    return ", ".join(f"{quantity} of {product}" for product, quantity in sorted(pieces.items())) or "nothing"


HELD_BY_ORDER: list[Row] = [
    {"$match": {"ref": {"$type": "string"}}},
    {"$group": {"_id": {"order": "$ref", "product": "$product"}, "delta": {"$sum": "$delta"}}},
    {"$match": {"delta": {"$ne": 0}}},
    {"$group": {"_id": "$_id.order", "held": {"$push": {"product": "$_id.product", "delta": "$delta"}}}},
    {"$sort": {"_id": 1}},
]
