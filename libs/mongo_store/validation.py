"""Checks of what is written, derived from the MongoEngine documents: transactions write through PyMongo, which checks nothing."""

from collections.abc import Iterable, Mapping
from typing import Any

from mongoengine import Document, ValidationError


def validate_document(model: type[Document], row: Mapping[str, object]) -> None:
    """Check a whole document before its insert. Raises mongoengine's ValidationError or FieldDoesNotExist."""
    model._from_son(dict(row)).validate()


def validate_changes(model: type[Document], changed: Mapping[str, object], removed: Iterable[str] = ()) -> None:
    """Check the fields of an update by their names in the database. Raises mongoengine's ValidationError, or KeyError."""
    for name, value in changed.items():
        _field(model, name)._validate(value)
    for name in removed:
        if _field(model, name).required:
            raise ValidationError("a required field can't be removed", field_name=name)


def _field(model: type[Document], name: str) -> Any:
    return model._fields[model._reverse_db_field_map[name]]
