"""The events of notification_service: each event that the schemas allow has a mail, and its record fits its schema."""

import os
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from contracts import event_schema, topic_settings
from libs.messaging.envelope import Event
from libs.runtime.config import load
from notification_service.config import Config
from notification_service.domain.mail import SentMail
from notification_service.events.consumed import (
    MailResendRequested,
    OrderEvent,
    OrderRejected,
    UserDeleted,
    UserMailRequested,
    UserNoticeRequested,
    UserRegistered,
    UserRevocation,
)
from notification_service.events.published import MailSent
from notification_service.events.topics import ACCOUNT_TOPICS, MAIL_TOPICS, topics
from notification_service.worker.handlers import HANDLERS
from notification_service.worker.process import make_composer

EVENT_ID = "01K00000000000000000000000"
MODELS = {
    model.topic: model
    for model in (
        UserRegistered,
        UserMailRequested,
        UserNoticeRequested,
        UserDeleted,
        UserRevocation,
        OrderRejected,
        MailResendRequested,
    )
}
STATUSES = {
    "order-placed": "pending",
    "order-confirmed": "confirmed",
    "order-rejected": "rejected",
    "order-shipped": "shipped",
    "order-delivered": "delivered",
    "order-cancelled": "cancelled",
}
LINE = {"productId": "b" * 24, "name": "Lamp", "quantity": 2, "unitPrice": "9.95", "lineTotal": "19.90", "version": 1}
LONG_LINE = LINE | {"name": "☕" * 200, "quantity": 10**9, "unitPrice": "999999999999.99"}
USER = {"id": "a" * 24, "username": "ada", "email": "ada@example.com", "roles": [], "active": True}
USER |= {"createdAt": "2026-01-31T12:00:00.000Z"}
LINK = {"kind": "reset", "userId": "a" * 24, "username": "ada", "email": "ada@example.com", "token": "t" * 43}
LINK |= {"expiresAt": "2126-01-31T12:00:00.000Z"}
ORDER: dict[str, Any] = {
    "orderId": EVENT_ID,
    "userId": "a" * 24,
    "userEmail": "ada@example.com",
    "username": "ada",
    "productId": "b" * 24,
    "quantity": 2,
    "total": "19.90",
    "currency": "USD",
    "previousStatus": None,
    "reason": None,
    "timestamp": "2026-01-31T12:00:00.000Z",
    "items": [LINE],
}
LONG_NAMES = {"username": "A-._" * 7 + "zz", "userEmail": "ada+" + "x" * 60 + "@" + "example." * 23 + "com"}
NOTICE = {"userId": "a" * 24, "username": "ada", "email": "ada@example.com", "occurredAt": "2026-01-31T12:00:00.000Z"}
NOTICES = event_schema("user-notice-requested")["properties"]["kind"]["enum"]
REJECTED = ORDER | {"status": "rejected", "previousStatus": "pending"}
SHORTAGE = {"productId": "b" * 24, "name": "☕" * 200, "wanted": 10**9, "available": 0}
PRICE = {"productId": "b" * 24, "price": "999999999999.99"}

EXAMPLES = [
    ("user-registered", USER),
    ("user-registered", USER | {"username": LONG_NAMES["username"], "email": LONG_NAMES["userEmail"]}),
    ("user-registered", USER | {"roles": ["viewer", "staff", "admin"], "active": False, "later": {"field": 1}}),
    ("user-mail-requested", LINK),
    ("user-mail-requested", LINK | {"kind": "verify", "token": "-_" * 64}),
    *(("user-notice-requested", NOTICE | {"kind": kind}) for kind in NOTICES),
    ("user-registered", USER | {"emailVerified": False}),
    ("order-rejected", REJECTED | {"reason": "out_of_stock", "shortages": [SHORTAGE] * 50, "emailVerified": True}),
    ("order-rejected", REJECTED | {"reason": "price_changed", "prices": [PRICE]}),
    ("order-rejected", REJECTED | {"reason": "withdrawn", "shortages": [SHORTAGE | {"reason": "withdrawn"}]}),
    *((topic, ORDER | {"status": status}) for topic, status in STATUSES.items()),
    ("order-placed", ORDER | {"status": "pending", "items": [LONG_LINE] * 50, "total": "999999999999.99"} | LONG_NAMES),
    ("order-rejected", ORDER | {"status": "rejected", "previousStatus": "pending", "reason": "x" * 200}),
    ("order-cancelled", ORDER | {"status": "cancelled", "previousStatus": "confirmed", "reason": "timeout"}),
    *(("mail-resend-requested", ORDER | {"status": status, "kind": step}) for step, status in STATUSES.items()),
]


@pytest.mark.parametrize(("topic", "data"), EXAMPLES, ids=[topic for topic, _ in EXAMPLES])
def test_an_event_that_the_schema_allows_has_a_mail(topic, data):
    Draft202012Validator(event_schema(topic)).validate(data)
    composer, mails = make_composer(load(Config, dict(os.environ))), []

    def send_mail(event: Event, *, user_id: str, limited: bool, **mail: Any) -> None:
        assert user_id == "a" * 24
        assert limited is (data.get("emailVerified") is False)
        mails.append(composer.compose(mail.pop("kind"), event_id=event.id, **mail))

    HANDLERS[topic](Event(EVENT_ID, topic, "a" * 24, 1, "", data), send_mail)
    (mail,) = mails
    assert mail.recipient == (data.get("email") or data.get("userEmail"))
    assert data["username"] in mail.text


def test_the_mail_of_each_step_that_the_schema_knows_can_be_resent():
    kinds = event_schema("mail-resend-requested")["properties"]["kind"]["enum"]
    assert set(kinds) == set(STATUSES) == set(get_args(MailResendRequested.model_fields["kind"].annotation))


@pytest.mark.parametrize(("kind", "order_id"), [("user-registered", None), *((step, EVENT_ID) for step in STATUSES)])
def test_the_record_of_a_sent_mail_fits_its_schema(kind, order_id):
    mail = SentMail(event_id=EVENT_ID, kind=kind, order_id=order_id, sent_at=datetime(2026, 1, 31, 12, tzinfo=UTC))
    sent = MailSent.of(mail)
    Draft202012Validator(event_schema("mail-sent")).validate(sent.model_dump(mode="json", by_alias=True))


@pytest.mark.parametrize("topic", [*MAIL_TOPICS, *ACCOUNT_TOPICS])
def test_no_field_is_needed_that_the_schema_leaves_out(topic):
    model, schema = MODELS.get(topic, OrderEvent), event_schema(topic)
    needed = {field.alias for field in model.model_fields.values() if field.is_required()}
    assert needed <= set(schema["required"])
    assert {field.alias for field in model.model_fields.values()} <= set(schema["properties"])


def test_every_topic_it_needs_is_created_as_the_contract_says():
    wanted = topic_settings(*MAIL_TOPICS, *ACCOUNT_TOPICS, MailSent.topic)
    assert {name: settings for name, settings in topics().items() if name in wanted} == wanted
