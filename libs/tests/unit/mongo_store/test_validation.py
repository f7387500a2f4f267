"""Checks that are derived from a MongoEngine document."""

import pytest
from mongoengine import Document, IntField, StringField, ValidationError

from libs.mongo_store.validation import validate_changes, validate_document


class Parcel(Document):
    """A document whose field has another name in the database."""

    label = StringField(required=True, max_length=5)
    weight = IntField(db_field="grams", min_value=1)
    size = StringField(choices=["small", "large"])

    meta = {"auto_create_index": False}


@pytest.mark.parametrize(
    "row", [{"label": "books"}, {"label": "books", "grams": 1}, {"label": "books", "grams": None, "size": "small"}]
)
def test_a_document_within_its_limits_passes(row):
    validate_document(Parcel, row)


@pytest.mark.parametrize(
    "row",
    [
        {"grams": 1},
        {"label": None},
        {"label": "x" * 6},
        {"label": "books", "grams": 0},
        {"label": "books", "size": "huge"},
        {"label": "books", "colour": "red"},
        {"label": "books", "weight": 1},
    ],
)
def test_another_document_is_refused(row):
    with pytest.raises(ValidationError):
        validate_document(Parcel, row)


def test_changes_within_the_limits_pass():
    validate_changes(Parcel, {"grams": 2})
    validate_changes(Parcel, {"label": "toys"}, ["grams"])
    validate_changes(Parcel, {"grams": None})


@pytest.mark.parametrize(
    ("changed", "removed"),
    [
        ({"grams": 0}, []),
        ({"label": "x" * 6}, []),
        ({"label": None}, []),
        ({"weight": 1}, []),
        ({}, ["label"]),
        ({}, ["colour"]),
    ],
)
def test_other_changes_are_refused(changed, removed):
    with pytest.raises(ValidationError):
        validate_changes(Parcel, changed, removed)
