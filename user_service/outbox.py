"""The one door to Kafka: an event is a row, stored in the transaction of the change it tells of."""

from collections.abc import Mapping
from typing import Any

from pymongo.client_session import ClientSession

from messaging.envelope import EventData, new_row
from messaging.mongo import MongoOutbox
from user_service.models import User


def store_event(event: EventData, user: Mapping[str, Any], session: ClientSession) -> None:
    """Add `event` for `user`, whose `sequence` was raised in this very transaction."""
    row = new_row(event, source="user_service", aggregate_id=str(user["_id"]), sequence=user["sequence"])
    MongoOutbox(User._get_db()).add(row, session)
