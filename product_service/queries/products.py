"""Pages of products."""

from dataclasses import dataclass

from libs.mongo_store.connection import Bson
from libs.values.errors import Invalid
from libs.values.pages import Page, PageRequest, build_page
from product_service.domain.search_words import category_key, searched_words
from product_service.queries.bounded_list import BoundedList, Filter, Order
from product_service.queries.keyset import Condition, beyond, cursor_value
from product_service.queries.product_json import STATE, StoredVersion

SHOWN = {"search_words": 0}


@dataclass(frozen=True)
class Sort:
    """The order of a list: by one field, and by id where its values are equal. `kind`: the field's type in a cursor.

    `index`: its name, after `active`.
    """

    field: str
    direction: int
    kind: type
    index: str


SORTS = {
    "newest": Sort("created_at", -1, int, "newest"),  # a cursor holds milliseconds since 1970
    "price": Sort("price_minor", 1, int, "price"),
    "-price": Sort("price_minor", -1, int, "price"),
    "name": Sort("name_key", 1, str, "name"),
    "stock": Sort("stock", 1, int, "stock"),
}
OF_CATEGORY = {"created_at": "category_key", "price_minor": "category_price", "name_key": "category_name"}
"""The indexes of a category, by their order."""


def list_products(
    request: PageRequest,
    *,
    active: bool = True,
    search: str | None = None,
    category: str | None = None,
    min_price: int | None = None,
    max_price: int | None = None,
    in_stock: bool | None = None,
    max_stock: int | None = None,
) -> Page[StoredVersion]:
    """A page of products in the order of SORTS[request.sort]: their versions, for `ProductJson.complete`.

    Each word of `search` must be in the name, the description or the SKU. Case does not count in `category`. Prices are in minor
    units. Raises Invalid for an impossible cursor and for a search without a word.
    """
    sort = SORTS[request.sort]
    direction = -sort.direction if request.backwards else sort.direction
    found = BoundedList(
        base={"active": active},
        filters=[
            *(_words(search) if search else ()),
            *_category(category),
            *_range("price_minor", "price", _between(min_price, max_price)),
            *_range("stock", "stock", _pieces(in_stock, max_stock)),
        ],
        place=beyond(sort.field, direction, *request.position) if request.position else (),
        order=Order(sort.field, direction, sort.index),
        fields={**STATE, sort.field: 1},
        limit=request.limit + 1,
        bound=request.bound,
    ).read()

    def key(row: Bson) -> tuple[int | str, str]:
        return cursor_value(row[sort.field]), str(row["_id"])

    page = build_page(request, found.rows, key, resume=key(found.resume) if found.resume else None)
    return Page(results=[*map(StoredVersion.of, page.results)], next=page.next, previous=page.previous)


def _words(search: str) -> list[Filter]:
    """A filter for each word. The index holds the forms of words, so each condition can use it."""
    words = searched_words(search)
    if not words:
        raise Invalid.field("search", "no-word", "A search needs at least one letter or digit")
    return [_word(sorted(forms)) for forms in words]


def _word(forms: list[str]) -> Filter:
    common = {"$setIntersection": ["$search_words", forms]}
    unindexed = {"$expr": {"$gt": [{"$size": common}, 0]}}
    return Filter({"search_words": {"$in": forms}}, {"created_at": "search_words"}, unindexed)


def _category(category: str | None) -> list[Filter]:
    return [Filter({"category_key": category_key(category)}, OF_CATEGORY)] if category else []


def _range(field: str, index: str, bounds: Condition) -> list[Filter]:
    return [Filter({field: bounds}, {field: index})] if bounds else []


def _between(lowest: int | None, highest: int | None) -> Condition:
    return {name: value for name, value in (("$gte", lowest), ("$lte", highest)) if value is not None}


def _pieces(in_stock: bool | None, highest: int | None) -> Condition:
    """The condition of the stock, empty for any."""
    if in_stock is False:
        return {"$eq": 0}
    return {**({"$gt": 0} if in_stock else {}), **_between(None, highest)}
