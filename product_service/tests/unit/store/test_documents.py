"""The validation of what is stored, without a database."""

from datetime import UTC, datetime

import pytest
from mongoengine import ValidationError

from libs.mongo_store.validation import validate_changes, validate_document
from libs.values.money import Money
from product_service.domain.product import Product
from product_service.store import documents
from product_service.store.product_rows import to_bson

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
PRICE = Money(1990, "USD")
LAMP = {**to_bson(Product(id="a" * 24, name="Lamp", price=PRICE, stock=1, created_at=AT, updated_at=AT)), "sequence": 1}

BAD_VALUES = [
    *({"name": "x" * 201}, {"name": 5}, {"price_minor": -1}, {"price_minor": 10_000_000}, {"stock": -1}),
    *({"stock": 10_000_001}, {"active": "yes"}, {"version": 0}, {"updated_at": "today"}, {"search_words": [1]}),
    *({"name": None}, {"stock": None}, {"colour": "red"}),
]


def test_a_whole_document_is_stored_without_empty_fields():
    stored = validate_document(documents.Product, LAMP)
    assert LAMP.keys() - stored.keys() == {"sku", "category", "category_key", "image_url"}
    assert stored == {name: value for name, value in LAMP.items() if value is not None}


@pytest.mark.parametrize("bad", BAD_VALUES, ids=str)
def test_a_bad_value_is_refused_in_a_document_and_in_a_change(bad):
    with pytest.raises(ValidationError):
        validate_document(documents.Product, LAMP | bad)
    with pytest.raises(ValidationError):
        validate_changes(documents.Product, bad)


@pytest.mark.parametrize("name", ["name", "name_key", "price_minor", "stock", "sequence", "created_at"])
def test_a_document_without_a_required_field_is_refused(name):
    with pytest.raises(ValidationError, match=name):
        validate_document(documents.Product, {field: value for field, value in LAMP.items() if field != name})


def test_a_change_may_hold_some_fields_and_may_empty_those_that_are_not_required():
    changes = {"sku": None, "category": "Lighting"}
    assert validate_changes(documents.Product, changes) == changes


def test_the_check_agrees_with_mongoengines_documents():
    fields = {name: value for name, value in LAMP.items() if name != "_id"}
    documents.Product(id=LAMP["_id"], **fields).validate()
    for bad in BAD_VALUES:
        if bad.keys() & {
            "active",
            "colour",
        }:  # MongoEngine converts to bool, and refuses unknown names by another error
            continue
        with pytest.raises(ValidationError):
            documents.Product(id=LAMP["_id"], **(fields | bad)).validate()
