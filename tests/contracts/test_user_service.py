"""The events of user_service against the shared schemas."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest
from jsonschema import Draft202012Validator

from contracts import event_schema
from libs.messaging.envelope import EventData, new_row
from libs.values.email_address import EmailAddress
from user_service.domain.mail_token import MailToken, MailTokenKind
from user_service.domain.user import User
from user_service.events.published import UserDeleted, UserMailRequested, UserRegistered, UserRevocations, UserUpdated
from user_service.events.topics import PUBLISHED, topics

MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)
USER = User(
    id="0" * 24,
    username="ada",
    email=EmailAddress.of("ada@example.com"),
    password_hash="hash",
    roles=("staff", "admin"),
    created_at=MOMENT,
    updated_at=MOMENT,
)
LONGEST = replace(USER, username="a" * 30, email=EmailAddress.of(f"{'a' * 64}@example.com"), roles=(), active=False)


def mail(kind: MailTokenKind) -> UserMailRequested:
    token, text = MailToken.issue(kind, user_id=USER.id, email_key=USER.email.key, at=MOMENT)
    return UserMailRequested.of(USER, token, text)


EVENTS: list[EventData] = [
    UserRegistered.of(USER),
    UserUpdated.of(LONGEST),
    UserDeleted.of(USER.erased(at=MOMENT)),
    mail("reset"),
    mail("verify"),
    UserRevocations.of(USER.id),
    UserRevocations.of(USER.id, "01K00000000000000000000000"),
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
def test_short_lived_events_are_kept_for_an_hour(topic: str) -> None:
    assert topics()[topic]["config"]["retention.ms"] == "3600000"
