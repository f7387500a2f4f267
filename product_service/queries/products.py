"""Pages of products."""

from dataclasses import dataclass

from libs.values.errors import Invalid
from libs.values.pages import Page, PageRequest, build_page
from product_service.domain.search_words import category_key, searched_words
from product_service.queries.keyset import Condition, beyond, cursor_value
from product_service.queries.product_json import STATE, StoredVersion
from product_service.store import documents

SHOWN = {"search_words": 0}


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
    where: list[Condition] = [{"active": active}]
    if search:
        where += _words(search)
    if category:
        where.append({"category_key": category_key(category)})
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
        where += beyond(sort.field, direction, *request.position)
    order = [(sort.field, direction), ("_id", direction)]
    fields = {**STATE, sort.field: 1}
    rows = list(documents.products().find({"$and": where}, fields).sort(order).limit(request.limit + 1))
    page = build_page(request, rows, lambda row: (cursor_value(row[sort.field]), str(row["_id"])))
    return Page(results=[*map(StoredVersion.of, page.results)], next=page.next, previous=page.previous)


def _words(search: str) -> list[Condition]:
    """A condition for each word. The index holds the forms of words, so each condition can use it."""
    words = searched_words(search)
    if not words:
        raise Invalid.field("search", "no-word", "A search needs at least one letter or digit")
    return [{"search_words": {"$in": sorted(forms)}} for forms in words]
