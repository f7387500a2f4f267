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
from user_service.events.consumed import UserLinkRequested, UserResendRequested
from user_service.events.published import (
    UserDeleted,
    UserMailRequested,
    UserNoticeRequested,
    UserRegistered,
    UserRevocations,
    UserUpdated,
)
from user_service.events.topics import CONSUMED, GROUP, PUBLISHED, topics

MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOW = datetime.now(UTC)
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
    UserNoticeRequested.of(USER, "password-changed", at=MOMENT),
    UserNoticeRequested.of(LONGEST, "email-changed", at=MOMENT),
    UserNoticeRequested.of(USER, "authenticator-added", at=MOMENT),
    UserNoticeRequested.of(USER, "authenticator-removed", at=MOMENT),
    UserRevocations.of(USER.id, at=NOW, newest=0),
    UserRevocations.of(USER.id, "01K00000000000000000000000", at=NOW, newest=0),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.topic)
def test_what_is_published_fits_its_schema(event: EventData) -> None:
    payload = orjson.loads(new_row(event, source="user_service", aggregate_id="x", sequence=1).payload)
    schema = event_schema(event.topic)
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(payload)
    assert set(payload) == set(schema["properties"])


def test_every_event_is_tried() -> None:
    assert {event.topic for event in EVENTS} == {event.topic for event in PUBLISHED}
    dead = {f"{event.topic}.{GROUP}.dlq" for event in CONSUMED}
    assert set(topics()) == {event.topic for event in (*PUBLISHED, *CONSUMED)} | dead


@pytest.mark.parametrize("topic", ["user-mail-requested", "user-revocations"])
def test_short_lived_events_are_kept_for_an_hour(topic: str) -> None:
    assert topics()[topic]["config"]["retention.ms"] == "3600000"


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (UserLinkRequested, {"userId": "0" * 24, "kind": "reset", "eventId": "01K00000000000000000000000", "later": 1}),
        (UserResendRequested, {"userId": "0" * 24, "later": 1}),
    ],
)
def test_what_is_consumed_is_read_from_what_its_schema_accepts(model: type[EventData], data: dict[str, object]) -> None:
    published = data | {"requestedAt": "2026-01-31T12:00:00.000Z"}
    Draft202012Validator(event_schema(model.topic)).validate(published)
    assert model.model_validate(published).model_dump(by_alias=True)["userId"] == "0" * 24


@pytest.mark.parametrize("topic", ["user-notice-requested", "user-link-requested"])
def test_topics_of_a_day_close_their_segments_in_time_to_be_deleted(topic: str) -> None:
    config = topics()[topic]["config"]
    assert (config["retention.ms"], config["segment.ms"]) == ("86400000", "3600000")
