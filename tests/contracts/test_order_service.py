"""The events of order_service, and those it consumes, against the shared schemas."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from contracts import event_schema, topic_settings
from libs.messaging.envelope import Event, new_row
from libs.values.money import Money
from order_service.domain.customer import Customer, MailAddress
from order_service.domain.order import Order, OrderLine
from order_service.domain.order_status import Status
from order_service.domain.rejection import CurrentPrice, Shortage
from order_service.events.consumed import (
    MailSent,
    ProductSnapshot,
    StockHeld,
    StockRejected,
    StockReleased,
    StockReserved,
    UserDeleted,
    UserRevocation,
    UserUpdated,
)
from order_service.events.published import EVENT_OF, MailResendRequested, StockReleaseRequested, UserResendRequested
from order_service.events.topics import CATALOGUE, HELD, MAILS, STOCK, USERS, topics
from order_service.store.models import SentMail

ADDRESS = MailAddress(email="ann@example.com", verified=False)
LINE = OrderLine(
    product_id="64f00000000000000000000a", name="Lamp", quantity=3, unit_price=Money(1990, "USD"), product_version=2
)
ORDER = Order(
    id="01M82CEBY32RNQGJ072R3P5R7Z",
    customer=Customer(user_id="64f000000000000000000001", username="ann", address=ADDRESS),
    lines=(LINE,),
    status=Status.PENDING,
    shipping_address=None,
    reason=None,
    created_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
    updated_at=datetime(2026, 1, 31, 12, 30, 15, 250_000, tzinfo=UTC),
    version=1,
)
LONG_NAME = replace(LINE, name="é" * 200)
LIMITS = replace(
    ORDER,
    customer=Customer(
        user_id=ORDER.customer.user_id, username="x" * 30, address=MailAddress(email=f"{'a' * 242}@example.com")
    ),
    reason="r" * 200,
    lines=(
        replace(LONG_NAME, quantity=1, unit_price=Money(999_999_999_999, "USD")),
        *[replace(LONG_NAME, quantity=1000, unit_price=Money(0, "USD"))] * 49,
    ),
)
ERASED = replace(ORDER, customer=replace(ORDER.customer, address=None))
SHORT = replace(ORDER, reason="out_of_stock", shortages=(Shortage(product_id=LINE.product_id, wanted=3, available=1),))
GONE = replace(
    ORDER, reason="withdrawn", shortages=(Shortage(product_id=LINE.product_id, wanted=3, available=0, withdrawn=True),)
)
DEARER = replace(ORDER, reason="price_changed", prices=(CurrentPrice(product_id=LINE.product_id, price=2050),))
PREVIOUS = {
    Status.PENDING: None,
    Status.CONFIRMED: Status.PENDING,
    Status.REJECTED: Status.PENDING,
    Status.SHIPPED: Status.CONFIRMED,
    Status.DELIVERED: Status.SHIPPED,
    Status.CANCELLED: Status.PENDING,
}


def data_of(order: Order, status: Status) -> dict[str, Any]:
    event = EVENT_OF[status].of(replace(order, status=status), PREVIOUS[status])
    return event.model_dump(mode="json", by_alias=True)


@pytest.mark.parametrize(
    "order", [ORDER, LIMITS, ERASED, SHORT, GONE, DEARER], ids=["plain", "limits", "erased", "short", "gone", "dearer"]
)
@pytest.mark.parametrize("status", PREVIOUS)
def test_each_event_keeps_to_its_schema(order, status):
    Draft202012Validator(event_schema(EVENT_OF[status].topic)).validate(data_of(order, status))


@pytest.mark.parametrize("order", [ORDER, LIMITS, ERASED], ids=["plain", "limits", "erased"])
@pytest.mark.parametrize("status", PREVIOUS)
def test_a_request_for_a_mail_keeps_to_its_schema_and_says_what_the_step_said(order, status):
    kind = EVENT_OF[status].topic
    event = MailResendRequested.of(replace(order, status=status), PREVIOUS[status], kind=kind)
    data = event.model_dump(mode="json", by_alias=True)
    schema = event_schema("mail-resend-requested")
    Draft202012Validator(schema).validate(data)
    assert set(schema["required"]) <= set(data) <= set(schema["properties"])
    assert data == data_of(order, status) | {"kind": kind}


@pytest.mark.parametrize("order", [SHORT, DEARER], ids=["short", "dearer"])
def test_a_request_for_the_mail_of_a_rejection_says_why(order):
    rejected = replace(order, status=Status.REJECTED)
    data = MailResendRequested.of(rejected, Status.PENDING, kind="order-rejected").model_dump(
        mode="json", by_alias=True
    )
    Draft202012Validator(event_schema("mail-resend-requested")).validate(data)
    assert data == data_of(order, Status.REJECTED) | {"kind": "order-rejected"}


def test_every_step_has_a_mail_that_may_be_asked_for_again():
    kinds = event_schema("mail-resend-requested")["properties"]["kind"]["enum"]
    assert set(kinds) == {event.topic for event in EVENT_OF.values()}


@pytest.mark.parametrize(
    "change",
    [{}, {"orderId": None}, {"orderId": ORDER.id}, {"kind": "k" * 64}, {"outcome": "suppressed"}, {"more": {}}],
)
def test_the_record_of_a_mail_that_the_schema_allows_is_understood(change):
    data = {"kind": "order-placed", "sentAt": "2026-01-31T12:00:00.000Z"} | change
    Draft202012Validator(event_schema("mail-sent")).validate(data)
    mail = Event("", "mail-sent", "", 0, "", data).read(MailSent)
    assert (mail.kind, mail.order_id) == (data["kind"], data.get("orderId"))
    assert mail.outcome == data.get("outcome", "sent")
    kept = SentMail._meta.get_field("kind").max_length
    assert kept >= event_schema("mail-sent")["properties"]["kind"]["maxLength"]


def needed(model):
    return {field.alias for field in model.model_fields.values() if field.is_required()}


@pytest.mark.parametrize("model", [UserDeleted, UserUpdated, UserRevocation])
def test_only_fields_that_the_schemas_of_accounts_promise_are_needed(model):
    assert needed(model) <= set(event_schema(model.topic)["required"])
    assert {field.alias for field in model.model_fields.values()} <= set(event_schema(model.topic)["properties"])


def test_a_request_for_an_account_keeps_to_its_schema():
    data = UserResendRequested(user_id=ORDER.customer.user_id).model_dump(mode="json", by_alias=True)
    Draft202012Validator(event_schema("user-resend-requested")).validate(data)


@pytest.mark.parametrize("status", PREVIOUS)
def test_each_event_says_all_that_its_schema_knows(status):
    schema = event_schema(EVENT_OF[status].topic)["properties"]
    order = SHORT if status is Status.REJECTED else ORDER
    assert set(data_of(order, status)) | ({"prices"} & set(schema)) == set(schema)
    assert set(data_of(ORDER, status)["items"][0]) == set(schema["items"]["items"]["properties"])


def test_an_event_of_an_order_has_the_fields_that_clients_see():
    assert data_of(ORDER, Status.CONFIRMED) == {
        "orderId": "01M82CEBY32RNQGJ072R3P5R7Z",
        "userId": "64f000000000000000000001",
        "userEmail": "ann@example.com",
        "emailVerified": False,
        "username": "ann",
        "productId": "64f00000000000000000000a",
        "quantity": 3,
        "total": "59.70",
        "currency": "USD",
        "status": "confirmed",
        "previousStatus": "pending",
        "reason": None,
        "timestamp": "2026-01-31T12:30:15.250Z",
        "items": [
            {
                "productId": "64f00000000000000000000a",
                "name": "Lamp",
                "quantity": 3,
                "unitPrice": "19.90",
                "lineTotal": "59.70",
                "version": 2,
            }
        ],
    }


def test_a_rejected_order_says_what_was_short_and_which_prices_are_others():
    short, dearer = data_of(SHORT, Status.REJECTED), data_of(DEARER, Status.REJECTED)
    assert short["shortages"] == [{"productId": LINE.product_id, "name": "Lamp", "wanted": 3, "available": 1}]
    assert dearer["prices"] == [{"productId": LINE.product_id, "price": "20.50"}]
    assert ("prices" in short, "shortages" in dearer) == (False, False)
    assert data_of(GONE, Status.REJECTED)["shortages"][0]["reason"] == "withdrawn"


def test_what_is_not_known_is_absent():
    data = data_of(ERASED, Status.REJECTED)
    assert {"emailVerified", "shortages", "prices"} & set(data) == set()


def test_a_rejected_order_of_long_names_fits_into_an_event():
    ids = [f"{number:024x}" for number in range(50)]
    lines = tuple(replace(LINE, product_id=key, name="\U0001f600" * 200) for key in ids)
    shortages = tuple(Shortage(product_id=key, wanted=1000, available=999, withdrawn=True) for key in ids)
    limits = {"quantity": 1000, "unit_price": Money(19_999_999, "USD"), "product_version": 2**31 - 1}
    longest = replace(LIMITS, lines=tuple(replace(line, **limits) for line in lines), shortages=shortages)
    event = MailResendRequested.of(replace(longest, status=Status.REJECTED), Status.PENDING, kind="order-rejected")
    Draft202012Validator(event_schema(event.topic)).validate(event.model_dump(mode="json", by_alias=True))
    new_row(event, source="order_service", aggregate_id=ORDER.id, sequence=2)


def test_the_schema_would_notice_a_status_that_is_not_the_events():
    with pytest.raises(ValidationError):
        Draft202012Validator(event_schema("order-placed")).validate(data_of(ORDER, Status.SHIPPED))


PRODUCT = {
    "id": "64f00000000000000000000a",
    "sku": "LMP-1",
    "name": "Lamp",
    "price": "19.90",
    "currency": "USD",
    "category": None,
    "active": True,
    "version": 3,
    "stock": 7,
    "updatedAt": "2026-01-31T12:30:15.250Z",
}


@pytest.mark.parametrize("topic", CATALOGUE)
@pytest.mark.parametrize(
    "change", [{}, {"name": "é" * 200}, {"price": "0.00"}, {"price": "9999999999.99"}, {"active": False}]
)
def test_what_the_schema_allows_is_understood(topic, change):
    data = PRODUCT | change
    Draft202012Validator(event_schema(topic)).validate(data)
    product = Event("", topic, data["id"], 1, "", data).read(ProductSnapshot)
    assert (product.id, str(product.to_product().price), product.active) == (data["id"], data["price"], data["active"])


@pytest.mark.parametrize("topic", CATALOGUE)
def test_only_fields_that_the_schema_promises_are_needed(topic):
    assert {field.alias for field in ProductSnapshot.model_fields.values()} <= set(event_schema(topic)["required"])


ITEM = {"productId": "64f00000000000000000000a", "quantity": 3, "unitPrice": "19.90"}
SHORTAGE = {"productId": "64f00000000000000000000a", "wanted": 3, "available": 0}
ANSWER = {"orderId": ORDER.id, "items": [ITEM], "reason": None, "shortages": []}


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (StockReserved, {}),
        (StockRejected, {"reason": "out_of_stock", "shortages": [SHORTAGE]}),
        (StockRejected, {"reason": "price_changed", "prices": [{"productId": ITEM["productId"], "price": "20.50"}]}),
        (StockRejected, {"reason": "price_changed", "note": "a later version's"}),
        (StockRejected, {"reason": "withdrawn", "shortages": [SHORTAGE | {"reason": "withdrawn"}]}),
    ],
)
def test_the_answers_of_the_stock_that_the_schemas_allow_are_understood(model, change):
    data = ANSWER | change
    Draft202012Validator(event_schema(model.topic)).validate(data)
    answer = Event("", model.topic, ORDER.id, 1, "", data).read(model)
    assert answer.order_id == ORDER.id
    assert getattr(answer, "reason", None) == change.get("reason")


@pytest.mark.parametrize("model", [StockReserved, StockRejected])
def test_only_fields_that_the_answers_schemas_promise_are_needed(model):
    assert needed(model) <= set(event_schema(model.topic)["required"])


def test_every_reason_that_the_schema_knows_is_understood_and_fits_an_orders():
    for reason in event_schema("stock-rejected")["properties"]["reason"]["enum"]:
        event = Event("", "stock-rejected", ORDER.id, 1, "", ANSWER | {"reason": reason})
        order = replace(ORDER, reason=event.read(StockRejected).reason)
        assert data_of(order, Status.REJECTED)["reason"] == reason


def test_a_page_of_reservations_that_the_schema_allows_is_understood():
    row = {"orderId": ORDER.id, "items": [{"productId": ITEM["productId"], "quantity": 3}]}
    data = {"round": ORDER.id, "after": None, "until": ORDER.id, "asOf": "2026-01-31T12:00:00.000Z"}
    data |= {"reservations": [row]}
    Draft202012Validator(event_schema("stock-held")).validate(data)
    page = Event("", "stock-held", "stock-held", 1, "", data).read(StockHeld).to_page()
    assert page.held == {ORDER.id: {ITEM["productId"]: 3}}
    assert needed(StockHeld) <= set(event_schema("stock-held")["required"])


def test_the_reply_to_a_cancellation_and_the_request_of_a_release_keep_to_their_schemas():
    data = {"orderId": ORDER.id, "items": []}
    Draft202012Validator(event_schema("stock-released")).validate(data)
    assert Event("", "stock-released", ORDER.id, 1, "", data).read(StockReleased).order_id == ORDER.id
    request = StockReleaseRequested(order_id=ORDER.id, delivered=True).model_dump(mode="json", by_alias=True)
    Draft202012Validator(event_schema("stock-release-requested")).validate(request)


def test_every_topic_it_needs_is_created_as_the_contract_says():
    names = [
        event.topic for event in (*EVENT_OF.values(), MailResendRequested, UserResendRequested, StockReleaseRequested)
    ]
    names += CATALOGUE + STOCK + USERS + MAILS + HELD
    expected = topic_settings(*names)
    created = topics()
    assert {name: created[name] for name in expected} == expected
    groups = {"order-service-catalogue": CATALOGUE, "order-service-stock": STOCK}
    groups |= {"order-service-users": USERS, "order-service-mails": MAILS, "order-service-reconcile": HELD}
    letters = {f"{topic}.{group}.dlq" for group, consumed in groups.items() for topic in consumed}
    assert set(created) - set(expected) == letters
