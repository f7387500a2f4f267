"""The events of user_service against the shared schemas."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from bson import ObjectId
from jsonschema import Draft202012Validator

from contracts import event_schema
from libs.messaging.envelope import EventData, new_row
from user_service.events.published import UserDeleted, UserRegistered, UserUpdated
from user_service.events.topics import PUBLISHED, topics
from user_service.store.users import _ended
from user_service.use_cases.mail_links import NewToken

MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)
USER: dict[str, Any] = {
    "_id": ObjectId(),
    "username": "ada",
    "email": "ada@example.com",
    "email_key": "ada@example.com",
    "roles": ["staff", "admin"],
    "active": True,
    "created_at": MOMENT,
    "deleted_at": MOMENT,
}
EVENTS: list[EventData] = [
    UserRegistered.of(USER),
    UserUpdated.of(USER | {"roles": [], "active": False, "username": "a" * 30, "email": f"{'a' * 64}@example.com"}),
    UserDeleted.of(USER),
    NewToken("reset").event(USER),
    NewToken("verify").event(USER),
    _ended(USER, None),
    _ended(USER, "01K00000000000000000000000"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.topic)
def test_what_is_published_fits_its_schema(event: EventData) -> None:
    payload = orjson.loads(new_row(event, source="user_service", aggregate_id="x", sequence=1).payload)
    schema = event_schema(event.topic)
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(payload)
    assert set(payload) == set(schema["properties"])


def test_every_event_is_tried() -> None:
    assert {event.topic for event in EVENTS} == {event.topic for event in PUBLISHED} == set(topics())


@pytest.mark.parametrize("topic", ["user-mail-requested", "user-revocations"])
def test_what_is_of_use_for_minutes_is_kept_for_an_hour(topic: str) -> None:
    assert topics()[topic]["config"]["retention.ms"] == "3600000"
