"""What staff changed about accounts, in MongoDB. A change is written in the transaction of the account."""

from bson import ObjectId
from pymongo.client_session import ClientSession

from libs.mongo_store.connection import Bson
from libs.mongo_store.inserts import insert
from libs.mongo_store.validation import validate_document
from user_service.domain.account_change import AccountChange, Action
from user_service.store import documents


def add(change: AccountChange, transaction: ClientSession) -> None:
    """Store a change. A change of nothing is not stored."""
    row = {
        "_id": change.id,
        "user_id": ObjectId(change.user_id),
        "at": change.at,
        "actor": change.actor,
        "action": change.action.value,
        "changes": change.changes,
    }
    if change.changes:
        insert(documents.account_changes(), [validate_document(documents.AccountChange, row)], transaction)


def from_bson(row: Bson) -> AccountChange:
    """The change of a document."""
    return AccountChange(
        id=row["_id"],
        user_id=str(row["user_id"]),
        at=row["at"],
        actor=row["actor"],
        action=Action(row["action"]),
        changes=row["changes"],
    )
