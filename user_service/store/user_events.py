"""The events of an account, and its counter of them."""

from collections.abc import Mapping, Sequence

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from libs.access.revocations import Revocation
from libs.messaging.envelope import EventData, new_row
from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.revocations import MongoRevocations
from libs.mongo_store.transactions import in_transaction
from user_service.domain.user import User
from user_service.events.published import (
    UserMailRequested,
    UserNoticeRequested,
    UserRegistered,
    UserRevocations,
    UserUpdated,
)
from user_service.store import clock, documents

SOURCE = "user_service"  # ce_source of every event
PERSONAL_TOPICS = frozenset(
    event.topic for event in (UserRegistered, UserUpdated, UserMailRequested, UserNoticeRequested)
)


def publish(user: User, event: EventData) -> bool:
    """Store an event that reports no change. False when the account is no longer `user`."""
    guard = {"_id": ObjectId(user.id), "sequence": user.version}

    def write(transaction: ClientSession) -> bool:
        if not documents.users().update_one(guard, {"$inc": {"sequence": 1}}, session=transaction).matched_count:
            return False
        store_events([event], user.id, transaction, first_sequence=user.version + 1)
        return True

    return in_transaction(documents.User._get_db(), write)


def publish_again(user_id: str, events: Mapping[str, EventData]) -> None:
    """Store events of an account, by the ids that they had before. Those that wait in the outbox already stay there once."""
    db = documents.User._get_db()

    def write(transaction: ClientSession) -> None:
        waiting = MongoOutbox(db).waiting(list(events), transaction)
        if not (missing := [(event_id, event) for event_id, event in events.items() if event_id not in waiting]):
            return
        last = count_event(user_id, transaction, count=len(missing))
        for sequence, (event_id, event) in enumerate(missing, start=last - len(missing) + 1):
            row = new_row(event, source=SOURCE, aggregate_id=user_id, sequence=sequence, event_id=event_id)
            MongoOutbox(db).add(row, transaction)

    in_transaction(db, write)


def discard_personal(user_id: str, transaction: ClientSession) -> None:
    """Delete the events of a deleted account that hold its data and are not in Kafka: no service needs them any more."""
    MongoOutbox(documents.User._get_db()).discard(user_id, PERSONAL_TOPICS, transaction)


def find_revocations() -> list[Revocation]:
    """The revocations of the last hour, which this service keeps for itself too."""
    return MongoRevocations(documents.User._get_db()).read(None)[1]


def count_event(user_id: str, transaction: ClientSession, *, count: int = 1) -> int:
    """Add to the counter of an account that was not read before. Returns the sequence of the last event."""
    row = documents.users().find_one_and_update(
        {"_id": ObjectId(user_id)},
        {"$inc": {"sequence": count}},
        {"sequence": 1},
        return_document=ReturnDocument.AFTER,
        session=transaction,
    )
    return int(row["sequence"])


def store_events(events: Sequence[EventData], user_id: str, transaction: ClientSession, *, first_sequence: int) -> None:
    """Add rows to the outbox, numbered from `first_sequence`. A revocation also counts in this service at once.

    A changed address has a time of the database's clock, as tokens have: order_service takes the later one of two addresses.
    """
    db = documents.User._get_db()
    at = clock.now() if any(isinstance(event, UserUpdated) for event in events) else None
    MongoOutbox(db).add_events(
        events, transaction, source=SOURCE, aggregate_id=user_id, first_sequence=first_sequence, at=at
    )
    for event in events:
        if isinstance(event, UserRevocations):
            MongoRevocations(db).add(Revocation(event.user_id, event.sid, event.not_before), transaction)
