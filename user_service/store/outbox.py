"""The one door to Kafka: an event is a row, stored in the transaction of the change it tells of."""

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.client_session import ClientSession

from libs.access.revocations import Revocation
from libs.messaging.envelope import EventData, new_row
from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.revocations import MongoRevocations
from user_service.events.published import UserRevocations
from user_service.store.documents import User


def store_events(events: Sequence[EventData], user: Mapping[str, Any], session: ClientSession) -> None:
    """Add `events` for `user`, whose `sequence` was raised by their number in this very transaction.

    What they say of tokens counts in this service at once: it asks no topic about its own accounts.
    """
    first = user["sequence"] - len(events) + 1
    for sequence, event in enumerate(events, first):
        row = new_row(event, source="user_service", aggregate_id=str(user["_id"]), sequence=sequence)
        MongoOutbox(User._get_db()).add(row, session)
        if isinstance(event, UserRevocations):
            revocation = Revocation(event.user_id, event.sid, event.not_before)
            MongoRevocations(User._get_db()).add(revocation, session)
