"""`python -m product_service republish`: heals consumers that lost events, by sending every product again.

The version stays, so a consumer applies what is not older than what it has.
"""

from bson import ObjectId
from pymongo.client_session import ClientSession

from libs.mongo_store.transactions import in_transaction
from product_service.events.published import ProductUpdated
from product_service.store.documents import Product, products
from product_service.store.outbox import store_event

BATCH = 100  # products a transaction: short enough for its time limit and for the writers it meets


def republish_products(*, currency: str) -> int:
    """Store a product-updated event for each product, inactive ones too; return how many."""
    count, last = 0, None
    while ids := _next_ids(last):
        _republish(ids, currency)
        count, last = count + len(ids), ids[-1]
    return count


def _next_ids(last: ObjectId | None) -> list[ObjectId]:
    beyond = {"_id": {"$gt": last}} if last else {}
    return [row["_id"] for row in products().find(beyond, {"_id": 1}).sort("_id", 1).limit(BATCH)]


def _republish(ids: list[ObjectId], currency: str) -> None:
    def work(session: ClientSession) -> None:
        which = {"_id": {"$in": ids}}
        products().update_many(which, {"$inc": {"sequence": 1}}, session=session)
        for product in products().find(which, session=session):
            store_event(ProductUpdated.of(product, currency), product, session)

    in_transaction(Product._get_db(), work)
