"""The conditions of MongoDB for the page after a key, and the values of keys in cursors."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from bson.errors import InvalidId

from libs.values.errors import Invalid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

TIMES = ("created_at", "at")  # the fields that hold times

Condition = Mapping[str, object]  # of a MongoDB filter


def beyond(field: str, direction: int, value: int | str, row_id: str) -> list[Condition]:
    """Conditions for the rows after a key, in the order of `field` and then of the ids.

    The first bounds the index scan, the second separates rows of equal values. Raises Invalid for an impossible key.
    """
    after = "$gt" if direction > 0 else "$lt"
    try:
        key, last = _stored_value(field, value), ObjectId(row_id)
    except (InvalidId, OverflowError):
        raise Invalid.field("cursor", "invalid-cursor", "The cursor can't be read") from None
    return [{field: {f"{after}e": key}}, {"$or": [{field: {after: key}}, {"_id": {after: last}}]}]


def cursor_value(value: Any) -> int | str:
    """A value as a cursor holds it. A time is in milliseconds since 1970."""
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(milliseconds=1)
    return value  # type: ignore[no-any-return]


def _stored_value(field: str, value: int | str) -> Any:
    if field in TIMES:
        return EPOCH + timedelta(milliseconds=int(value))
    if isinstance(value, int) and value.bit_length() > 63:
        raise OverflowError  # BSON has 64 bits
    return value
