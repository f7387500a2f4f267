"""Checks that are derived from a MongoEngine document."""

import pytest
from mongoengine import Document, IntField, StringField, ValidationError
from mongoengine.errors import FieldDoesNotExist

from libs.mongo_store.validation import validate_changes, validate_document


class Parcel(Document):
    """A document whose field has another name in the database."""

    label = StringField(required=True, max_length=5)
    weight = IntField(db_field="grams", min_value=1)

    meta = {"auto_create_index": False}


def test_a_document_within_its_limits_passes():
    validate_document(Parcel, {"label": "books", "grams": 1})


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({"grams": 1}, ValidationError),
        ({"label": "x" * 6}, ValidationError),
        ({"label": "books", "grams": 0}, ValidationError),
        ({"label": "books", "colour": "red"}, FieldDoesNotExist),
    ],
)
def test_another_document_is_refused(row, error):
    with pytest.raises(error):
        validate_document(Parcel, row)


def test_changes_within_the_limits_pass():
    validate_changes(Parcel, {"grams": 2}, [])
    validate_changes(Parcel, {"label": "toys"}, ["grams"])


@pytest.mark.parametrize(
    ("changed", "removed", "error"),
    [
        ({"grams": 0}, [], ValidationError),
        ({"label": "x" * 6}, [], ValidationError),
        ({"weight": 1}, [], KeyError),
        ({}, ["label"], ValidationError),
    ],
)
def test_other_changes_are_refused(changed, removed, error):
    with pytest.raises(error):
        validate_changes(Parcel, changed, removed)
