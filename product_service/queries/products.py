"""One product, and pages of products."""

import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from bson.errors import InvalidId

from libs.values.errors import Invalid
from libs.values.pages import Page, PageRequest, build_page
from product_service.domain.errors import UnknownProduct
from product_service.domain.product import Product
from product_service.store import documents, products

WITHOUT_HISTORY = {"price_log": 0}  # only reservations read the earlier prices
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Condition = Mapping[str, object]  # of a MongoDB filter


@dataclass(frozen=True)
class Sort:
    """The order of a list: by one field, and by id where its values are equal. `kind`: the field's type in a cursor."""

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


def get_product(product_id: str, *, currency: str, inactive_too: bool) -> Product:
    """One product. Raises UnknownProduct, for an inactive one unless `inactive_too`."""
    product = products.find(product_id, currency=currency)
    if not (product.active or inactive_too):
        raise UnknownProduct
    return product


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
) -> Page[Product]:
    """A page of Products in the order of SORTS[request.sort], without their earlier prices.

    Each word of `search` must be in the name or the description. Prices are in minor units. Raises Invalid for an impossible
    cursor and for a search without a word.
    """
    where: list[Condition] = [{"active": active}]
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
    rows = list(documents.products().find({"$and": where}, WITHOUT_HISTORY).sort(order).limit(request.limit + 1))
    page = build_page(request, rows, lambda row: (_cursor_value(row[sort.field]), str(row["_id"])))
    return replace(page, results=[products.from_document(row, currency) for row in page.results])


def _all_words(search: str) -> str:
    """The search with each word as a phrase: MongoDB finds any of several words, but all of several phrases.

    Source: MongoDB manual, $text, "If the $search string includes multiple phrases, performs a logical AND".
    """
    words = [word.strip(string.punctuation) for word in search.replace('"', " ").replace("\\", " ").split()]
    if not any(words):
        raise Invalid.field("search", "no-word", "A search needs at least one letter or digit")
    return " ".join(f'"{word}"' for word in words if word)


def _beyond(field: str, direction: int, value: int | str, product_id: str) -> list[Condition]:
    """Conditions for the rows after a key. The first bounds the index scan, the second separates rows of equal values."""
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
        raise OverflowError  # BSON has 64 bits
    return value
