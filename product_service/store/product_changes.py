"""What staff changed, in MongoDB. A change is written in the transaction of the product."""

from bson import ObjectId
from pymongo.client_session import ClientSession

from libs.mongo_store.connection import Bson
from libs.mongo_store.inserts import insert
from libs.mongo_store.validation import validate_document
from product_service.domain.product_change import Action, ProductChange
from product_service.store import documents


def add(change: ProductChange, transaction: ClientSession) -> None:
    """Insert a change."""
    row = {
        "_id": ObjectId(),
        "product": ObjectId(change.product_id),
        "at": change.at,
        "actor": change.actor,
        "action": change.action,
        "changes": change.changes,
    }
    insert(documents.changes(), [validate_document(documents.ProductChange, row)], transaction)


def from_bson(row: Bson) -> ProductChange:
    """A change from its document."""
    return ProductChange(
        id=str(row["_id"]),
        product_id=str(row["product"]),
        at=row["at"],
        actor=row["actor"],
        action=Action(row["action"]),
        changes=row["changes"],
    )
