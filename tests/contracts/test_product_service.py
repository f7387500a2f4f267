"""The events of product_service against the shared schemas: what it publishes, and what it consumes."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from contracts import event_schema, topic_settings
from libs.messaging.envelope import MalformedEvent
from libs.messaging.kafka.topics import dead_letter_topic
from libs.values.money import Money
from product_service.domain.product import Product
from product_service.events.consumed import OrderLine, OrderPlaced, StockReleaseRequested, UserRevocation
from product_service.events.published import (
    PRODUCT_EVENTS,
    CurrentPrice,
    HeldReservation,
    Pieces,
    ProductUpdated,
    Shortage,
    StockHeld,
    StockItem,
    StockRejected,
    StockReleased,
    StockReserved,
)
from product_service.events.topics import CONSUMED, GROUP, PUBLISHED, USERS_GROUP, topics

ORDER_ID = "01K00000000000000000000000"
FULL = Product(
    id="c" * 24,
    name="Lamp",
    description="Bright",
    sku="LMP-1",
    category="Lighting",
    image_url="/lamp.png",
    price=Money(1990, "EUR"),
    stock=7,
    version=3,
    created_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
    updated_at=datetime(2026, 1, 31, 12, 30, 15, 250_000, tzinfo=UTC),
)
BARE = replace(FULL, sku=None, category=None, image_url=None)
LIMITS = replace(
    FULL, name="x" * 200, sku="s" * 64, category="c" * 100, price=Money(9_999_999, "EUR"), stock=10_000_000
)
LEAST = replace(BARE, price=Money(0, "EUR"), stock=0, version=1, active=False)

ITEM = StockItem(product_id="b" * 24, quantity=2, unit_price="19.90")
NOW = CurrentPrice(product_id="b" * 24, price="21.00")
BACK = Pieces(product_id="b" * 24, quantity=10_000_000)
HELD = HeldReservation(order_id=ORDER_ID, items=[BACK])
PAGE = {"round": ORDER_ID, "as_of": "2026-01-31T12:00:00.000Z"}
SHORT = Shortage(product_id="b" * 24, wanted=2, available=0)
WITHDRAWN = Shortage(product_id="b" * 24, wanted=2, available=0, reason="withdrawn")
REPLIES = [
    StockReserved(order_id=ORDER_ID, items=[ITEM]),
    StockReserved(order_id=ORDER_ID, items=[ITEM] * 50),
    StockRejected(order_id=ORDER_ID, items=[ITEM], reason="price_changed"),
    StockRejected(order_id=ORDER_ID, items=[ITEM], reason="price_changed", prices=[NOW] * 50),
    StockRejected(order_id=ORDER_ID, items=[ITEM] * 50, reason="out_of_stock", shortages=[SHORT] * 50),
    StockRejected(order_id=ORDER_ID, items=[ITEM], reason="withdrawn", shortages=[WITHDRAWN]),
    StockReleased(order_id=ORDER_ID, items=[]),
    StockReleased(order_id=ORDER_ID, items=[BACK] * 50),
]
PAGES = [
    StockHeld(**PAGE, after=None, until=None, reservations=[]),
    StockHeld(**PAGE, after=ORDER_ID, until=ORDER_ID, reservations=[HELD] * 500),
]

LINE = {"productId": "b" * 24, "name": "Lamp", "quantity": 2, "unitPrice": "9.95", "lineTotal": "19.90", "version": 1}
LONG_LINE = LINE | {"name": "☕" * 200, "quantity": 10**9, "unitPrice": "999999999999.99"}
ORDER: dict[str, Any] = {
    "orderId": ORDER_ID,
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
STATUSES = {"order-placed": "pending", "order-cancelled": "cancelled", "order-delivered": "delivered"}
ORDER_EVENTS = [model for model in CONSUMED if model.topic in STATUSES]


def wire_form(event):
    return event.model_dump(mode="json", by_alias=True)


@pytest.mark.parametrize("product", [FULL, BARE, LIMITS, LEAST], ids=["full", "bare", "limits", "least"])
@pytest.mark.parametrize("event", PRODUCT_EVENTS)
def test_each_product_event_keeps_to_its_schema(event, product):
    Draft202012Validator(event_schema(event.topic)).validate(wire_form(event.of(product)))


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: f"{reply.topic}-{len(reply.items)}")
def test_each_reply_to_an_order_keeps_to_its_schema(reply):
    Draft202012Validator(event_schema(reply.topic)).validate(wire_form(reply))


@pytest.mark.parametrize("page", PAGES, ids=["empty", "full"])
def test_each_page_of_reservations_keeps_to_its_schema(page):
    Draft202012Validator(event_schema(page.topic)).validate(wire_form(page))


@pytest.mark.parametrize("event", PUBLISHED)
def test_each_event_says_all_that_its_schema_knows(event):
    assert {field.alias for field in event.model_fields.values()} == set(event_schema(event.topic)["properties"])


@pytest.mark.parametrize("event", [StockReserved, StockRejected])
@pytest.mark.parametrize(("model", "name"), [(StockItem, "items"), (Shortage, "shortages")])
def test_the_lines_of_a_reply_say_all_that_their_schema_knows(event, model, name):
    schema = event_schema(event.topic)["properties"][name]["items"]
    assert {field.alias for field in model.model_fields.values()} == set(schema["properties"])


def test_the_pieces_of_a_release_and_the_rows_of_a_page_say_all_that_their_schemas_know():
    schema = event_schema("stock-released")["properties"]["items"]["items"]
    assert {field.alias for field in Pieces.model_fields.values()} == set(schema["properties"])
    schema = event_schema("stock-held")["properties"]["reservations"]["items"]
    assert {field.alias for field in HeldReservation.model_fields.values()} == set(schema["properties"])


def test_the_prices_of_a_reply_say_all_that_their_schema_knows():
    schema = event_schema("stock-rejected")["properties"]["prices"]["items"]
    assert {field.alias for field in CurrentPrice.model_fields.values()} == set(schema["properties"])


def test_a_line_that_is_only_short_has_no_reason_of_its_own():
    assert "reason" not in wire_form(SHORT)
    assert wire_form(WITHDRAWN)["reason"] == "withdrawn"


def test_a_snapshot_shows_the_product_as_clients_see_it():
    assert wire_form(ProductUpdated.of(FULL)) == {
        "id": FULL.id,
        "sku": "LMP-1",
        "name": "Lamp",
        "price": "19.90",
        "currency": "EUR",
        "category": "Lighting",
        "active": True,
        "version": 3,
        "stock": 7,
        "updatedAt": "2026-01-31T12:30:15.250Z",
    }


def test_the_schema_would_notice_a_price_that_is_no_text():
    data = wire_form(ProductUpdated.of(FULL)) | {"price": 19.9}
    with pytest.raises(ValidationError):
        Draft202012Validator(event_schema("product-updated")).validate(data)


@pytest.mark.parametrize("model", ORDER_EVENTS)
@pytest.mark.parametrize(
    "data",
    [ORDER, ORDER | {"items": [LONG_LINE] * 50}, ORDER | {"later": {"field": 1}}],
    ids=["plain", "limits", "more fields"],
)
def test_whatever_the_schema_allows_of_an_order_can_be_read(model, data):
    data = data | {"status": STATUSES[model.topic]}
    Draft202012Validator(event_schema(model.topic)).validate(data)
    assert model.model_validate(data).order_id == ORDER_ID


def test_a_requested_release_can_be_read():
    data = {"orderId": ORDER_ID, "delivered": False}
    Draft202012Validator(event_schema("stock-release-requested")).validate(data)
    assert StockReleaseRequested.model_validate(data).order_id == ORDER_ID
    fields = {field.alias for field in StockReleaseRequested.model_fields.values()}
    assert fields <= set(event_schema("stock-release-requested")["required"])


@pytest.mark.parametrize("model", ORDER_EVENTS)
def test_no_field_of_an_order_is_needed_that_its_schema_leaves_out(model):
    schema = event_schema(model.topic)
    assert {field.alias for field in model.model_fields.values()} <= set(schema["required"])
    line = schema["properties"]["items"]["items"]
    assert {field.alias for field in OrderLine.model_fields.values()} <= set(line["required"])


@pytest.mark.parametrize(
    "changes",
    [
        {"orderId": "x"},
        {"timestamp": "yesterday"},
        {"timestamp": "2026-01-31T12:00:00"},
        {"items": []},
        {"items": [LINE] * 51},
        {"items": [LINE | {"quantity": 0}]},
        {"items": [LINE | {"quantity": 2**63}]},
        {"items": [LINE | {"quantity": "2"}]},
        {"items": [LINE | {"productId": {"$gt": ""}}]},
        {"items": [LINE | {"unitPrice": "-1.00"}]},
    ],
    ids=str,
)
def test_an_order_that_makes_no_sense_is_refused_without_telling_its_values(read, changes):
    with pytest.raises(MalformedEvent) as refused:
        read(OrderPlaced, ORDER | changes)
    assert "2026" not in str(refused.value)


@pytest.fixture
def read():
    """`read(model, data)`: as the consumer's handlers read an event."""
    from libs.messaging.envelope import Event

    fields = {"id": ORDER_ID, "subject": ORDER_ID, "sequence": 1, "time": ""}
    return lambda model, data: Event(type=model.topic, data=data, **fields).read(model)


def test_every_topic_it_needs_is_created_as_the_contract_says():
    contracted = topic_settings(*(event.topic for event in (*PUBLISHED, *CONSUMED, UserRevocation)))
    dead = {dead_letter_topic(event.topic, GROUP) for event in CONSUMED}
    dead.add(dead_letter_topic(UserRevocation.topic, USERS_GROUP))
    made = topics()
    assert {name: settings for name, settings in made.items() if name in contracted} == contracted
    assert made.keys() - contracted.keys() == dead


def test_only_fields_that_the_schema_of_revocations_promises_are_needed():
    assert {field.alias for field in UserRevocation.model_fields.values()} <= set(
        event_schema("user-revocations")["required"]
    )
