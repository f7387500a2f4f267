"""The collections and indexes that the service needs, and the fields that documents of earlier versions lack."""

from collections.abc import Iterator
from typing import Any

from pymongo import UpdateOne

from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.revocations import MongoRevocations
from product_service.domain.search_words import FORMS_VERSION
from product_service.store import held_rounds
from product_service.store.documents import (
    STOCK_RULE,
    EarlierPrice,
    HeldRound,
    IdempotencyKey,
    Product,
    ProductChange,
    Reservation,
    StockMovement,
    db,
    products,
)
from product_service.store.price_history import move_price_logs
from product_service.store.product_rows import SEARCH_FIELDS, search_fields

BATCH_SIZE = 500  # products per write


def ensure_indexes() -> None:
    """Create the collections, validators and indexes before the first transaction. It may run again at any time."""
    for document in (Product, EarlierPrice, StockMovement, ProductChange, IdempotencyKey, Reservation, HeldRound):
        document.ensure_indexes()
    # The conditional updates keep the rule. The server refuses the write of a bug in one of them.
    db().command("collMod", "products", validator={"$jsonSchema": STOCK_RULE})
    MongoOutbox(db()).ensure_indexes()
    MongoRevocations(db()).ensure_indexes()
    held_rounds.ensure()


def fill_missing_fields(currency: str) -> int:
    """Set the currency of products that have none, and the search words of those that have none or earlier ones. Return the number
    of products.

    Earlier versions stored neither: their prices are in `currency`, the shop's. They kept the earlier prices in the products, and
    these move. It may run again at any time.
    """
    move_price_logs(currency)
    labelled = products().update_many({"currency": {"$exists": False}}, {"$set": {"currency": currency}}).modified_count
    found = 0
    while updates := list(_new_words()):
        found += products().bulk_write(updates, ordered=False).modified_count
    return max(int(labelled), found)


def _new_words() -> Iterator[UpdateOne]:
    """An update for each product of a batch. One that has changed since it was read is left to the next batch."""
    old: dict[str, Any] = {"words_version": {"$ne": FORMS_VERSION}}
    wanted: dict[str, Any] = dict.fromkeys((*SEARCH_FIELDS, "version"), 1)
    for row in products().find(old, wanted).limit(BATCH_SIZE):
        yield UpdateOne({"_id": row["_id"], "version": row["version"], **old}, {"$set": search_fields(row)})
