"""Reads, as plain dicts: what goes out is built here and nowhere else."""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from bson.errors import InvalidId

from libs.values.errors import Invalid
from libs.values.money import format_money
from libs.values.pages import Page, PageRequest, build_page
from libs.values.times import rfc3339
from product_service.domain.errors import UnknownProduct
from product_service.store.documents import RawProduct, products

WITHOUT_LOG = {"price_log": 0}  # the earlier prices are for reservations alone
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sort:
    """A list's order: by one field, and by id where that is equal. `kind` is the field's type in a cursor."""

    field: str
    direction: int
    kind: type


SORTS = {
    "newest": Sort("created_at", -1, int),  # a cursor holds milliseconds since 1970
    "price": Sort("price_minor", 1, int),
    "-price": Sort("price_minor", -1, int),
    "name": Sort("name_key", 1, str),
    "stock": Sort("stock", 1, int),
}


def to_public(product: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """A product as clients see it, from a product as MongoDB holds it."""
    return {
        "id": str(product["_id"]),
        "sku": product.get("sku"),
        "name": product["name"],
        "description": product["description"],
        "category": product.get("category"),
        "imageUrl": product.get("image_url"),
        "price": format_money(product["price_minor"]),
        "currency": currency,
        "stock": product["stock"],
        "active": product["active"],
        "version": product["version"],
        "createdAt": rfc3339(product["created_at"]),
        "updatedAt": rfc3339(product["updated_at"]),
    }


def get_product(product_id: str, *, inactive_too: bool) -> RawProduct:
    """One product. Raises UnknownProduct, for an inactive one unless `inactive_too`."""
    found: RawProduct | None = None
    if ObjectId.is_valid(product_id):
        found = products().find_one({"_id": ObjectId(product_id)})
    if not found or not (found["active"] or inactive_too):
        raise UnknownProduct
    return found


def list_products(
    request: PageRequest,
    *,
    currency: str,
    active: bool = True,
    search: str | None = None,
    category: str | None = None,
    min_price: int | None = None,
    max_price: int | None = None,
    in_stock: bool | None = None,
    max_stock: int | None = None,
) -> Page[dict[str, Any]]:
    """Products in the order of SORTS[request.sort]; every word of `search` must be in the name or the description.

    Prices in minor units. Raises Invalid for a cursor that can't be or a search without a word.
    """
    where: list[dict[str, Any]] = [{"active": active}]
    if search:
        where.append({"$text": {"$search": _all_words(search)}})
    if category:
        where.append({"category": category})
    if min_price is not None:
        where.append({"price_minor": {"$gte": min_price}})
    if max_price is not None:
        where.append({"price_minor": {"$lte": max_price}})
    if in_stock is not None:
        where.append({"stock": {"$gt": 0} if in_stock else 0})
    if max_stock is not None:
        where.append({"stock": {"$lte": max_stock}})
    sort = SORTS[request.sort]
    direction = -sort.direction if request.backwards else sort.direction
    if request.position:
        where += _beyond(sort.field, direction, *request.position)
    order = [(sort.field, direction), ("_id", direction)]
    rows = list(products().find({"$and": where}, WITHOUT_LOG).sort(order).limit(request.limit + 1))
    page = build_page(request, rows, lambda row: (_cursor_value(row[sort.field]), str(row["_id"])))
    return Page([to_public(row, currency) for row in page.results], page.next, page.previous)


def _all_words(search: str) -> str:
    """MongoDB finds any of several words, but all of several phrases: so each word becomes a phrase.

    Source: MongoDB manual, $text, "If the $search string includes multiple phrases, performs a logical AND".
    """
    words = [word.strip(string.punctuation) for word in search.replace('"', " ").replace("\\", " ").split()]
    if not any(words):
        raise Invalid.field("search", "no-word", "A search needs at least one letter or digit")
    return " ".join(f'"{word}"' for word in words if word)


def _beyond(field: str, direction: int, value: int | str, product_id: str) -> list[dict[str, Any]]:
    """Conditions for the rows after a key. The first one bounds the index scan, the second one parts equal values."""
    after = "$gt" if direction > 0 else "$lt"
    try:
        key, last = _stored_value(field, value), ObjectId(product_id)
    except (InvalidId, OverflowError):
        raise Invalid.field("cursor", "invalid-cursor", "The cursor can't be read") from None
    return [{field: {f"{after}e": key}}, {"$or": [{field: {after: key}}, {"_id": {after: last}}]}]


def _cursor_value(value: Any) -> int | str:
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(milliseconds=1)
    return value  # type: ignore[no-any-return]


def _stored_value(field: str, value: int | str) -> Any:
    if field == "created_at":
        return EPOCH + timedelta(milliseconds=int(value))
    if isinstance(value, int) and value.bit_length() > 63:
        raise OverflowError  # BSON knows no such number
    return value
