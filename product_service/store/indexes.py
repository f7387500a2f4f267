"""The collections and indexes that the service needs."""

from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.revocations import MongoRevocations
from product_service.store.documents import STOCK_RULE, Product, Reservation, StockMovement, db


def ensure_indexes() -> None:
    """Create the collections, validators and indexes before the first transaction. It may run again at any time."""
    Product.ensure_indexes()
    StockMovement.ensure_indexes()
    Reservation.ensure_indexes()
    # The conditional updates keep the rule. The server refuses the write of a bug in one of them.
    db().command("collMod", "products", validator={"$jsonSchema": STOCK_RULE})
    MongoOutbox(db()).ensure_indexes()
    MongoRevocations(db()).ensure_indexes()
