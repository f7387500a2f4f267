"""The events of an account, and its counter of them."""

from collections.abc import Sequence

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from libs.access.revocations import Revocation
from libs.messaging.envelope import EventData
from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.revocations import MongoRevocations
from libs.mongo_store.transactions import in_transaction
from user_service.domain.user import User
from user_service.events.published import UserRevocations
from user_service.store import documents


def publish(user: User, event: EventData) -> bool:
    """Store an event that reports no change. False when the account is no longer `user`."""
    guard = {"_id": ObjectId(user.id), "sequence": user.version}

    def write(transaction: ClientSession) -> bool:
        if not documents.users().update_one(guard, {"$inc": {"sequence": 1}}, session=transaction).matched_count:
            return False
        store_events([event], user.id, transaction, first_sequence=user.version + 1)
        return True

    return in_transaction(documents.User._get_db(), write)


def count_event(user_id: str, transaction: ClientSession) -> int:
    """Add one to the counter of an account that was not read before. Returns the sequence of the event."""
    row = documents.users().find_one_and_update(
        {"_id": ObjectId(user_id)},
        {"$inc": {"sequence": 1}},
        {"sequence": 1},
        return_document=ReturnDocument.AFTER,
        session=transaction,
    )
    return int(row["sequence"])


def store_events(events: Sequence[EventData], user_id: str, transaction: ClientSession, *, first_sequence: int) -> None:
    """Add rows to the outbox, numbered from `first_sequence`. A revocation also counts in this service at once."""
    db = documents.User._get_db()
    MongoOutbox(db).add_events(
        events, transaction, source="user_service", aggregate_id=user_id, first_sequence=first_sequence
    )
    for event in events:
        if isinstance(event, UserRevocations):
            MongoRevocations(db).add(Revocation(event.user_id, event.sid, event.not_before), transaction)
