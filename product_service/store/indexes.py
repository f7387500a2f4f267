"""The collections and indexes that the service needs."""

from libs.mongo_store.connection import Db
from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.revocations import MongoRevocations
from product_service.store.documents import STOCK_RULE, Product, Reservation, StockMovement


def ensure_indexes() -> None:
    """Create what the database needs, before the first transaction; again and again without harm."""
    db: Db = Product._get_db()
    Product.ensure_indexes()
    StockMovement.ensure_indexes()
    Reservation.ensure_indexes()
    # A belt: the conditional updates keep the rule already, and a bug in one is refused here.
    db.command("collMod", "products", validator={"$jsonSchema": STOCK_RULE})
    MongoOutbox(db).ensure_indexes()
    MongoRevocations(db).ensure_indexes()
