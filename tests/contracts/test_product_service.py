"""The events of product_service against the shared schemas."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import ObjectId
from jsonschema import Draft202012Validator, ValidationError

from contracts import event_schema, topic_settings
from product_service.events import PUBLISHED, ProductUpdated, topics

FULL: dict[str, Any] = {
    "_id": ObjectId(),
    "name": "Lamp",
    "name_key": "lamp",
    "description": "Bright",
    "sku": "LMP-1",
    "category": "Lighting",
    "image_url": "/lamp.png",
    "price_minor": 1990,
    "stock": 7,
    "active": True,
    "version": 3,
    "sequence": 5,
    "created_at": datetime(2026, 1, 31, 12, tzinfo=UTC),
    "updated_at": datetime(2026, 1, 31, 12, 30, 15, 250_000, tzinfo=UTC),
}
BARE = {name: value for name, value in FULL.items() if name not in ("sku", "category", "image_url")}
LIMITS = FULL | {
    "name": "x" * 200,
    "sku": "s" * 64,
    "category": "c" * 100,
    "price_minor": 9_999_999,
    "stock": 10_000_000,
}
LEAST = BARE | {"price_minor": 0, "stock": 0, "version": 1, "active": False}


@pytest.mark.parametrize("product", [FULL, BARE, LIMITS, LEAST], ids=["full", "bare", "limits", "least"])
@pytest.mark.parametrize("event", PUBLISHED)
def test_each_event_keeps_to_its_schema(event, product):
    data = event.of(product, "USD").model_dump(mode="json", by_alias=True)
    Draft202012Validator(event_schema(event.topic)).validate(data)


@pytest.mark.parametrize("event", PUBLISHED)
def test_each_event_says_all_that_its_schema_knows(event):
    assert {field.alias for field in event.model_fields.values()} == set(event_schema(event.topic)["properties"])


def test_a_snapshot_shows_the_product_as_clients_see_it():
    data = ProductUpdated.of(FULL, "EUR").model_dump(mode="json", by_alias=True)
    assert data == {
        "id": str(FULL["_id"]),
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
    data = ProductUpdated.of(FULL, "USD").model_dump(mode="json", by_alias=True) | {"price": 19.9}
    with pytest.raises(ValidationError):
        Draft202012Validator(event_schema("product-updated")).validate(data)


def test_every_topic_it_publishes_to_is_created_as_the_contract_says():
    assert topics() == topic_settings("product-created", "product-updated", "product-deleted")
