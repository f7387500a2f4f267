"""What staff changed about a product."""

from dataclasses import replace

from bson import ObjectId

from libs.values.pages import Page, PageRequest, build_page
from product_service.domain.product_change import ProductChange
from product_service.queries.keyset import Condition, beyond, cursor_value
from product_service.store import documents, product_changes, products

SORT = "newest"
KEY_TYPES = [int, str]


def list_changes(product_id: str, request: PageRequest, *, currency: str) -> Page[ProductChange]:
    """A page of the changes of a product, the newest first. Raises UnknownProduct, and Invalid for an impossible cursor."""
    product = products.find(product_id, currency=currency)
    where: list[Condition] = [{"product": ObjectId(product.id)}]
    direction = 1 if request.backwards else -1
    if request.position:
        where += beyond("at", direction, *request.position)
    order = [("at", direction), ("_id", direction)]
    rows = list(documents.changes().find({"$and": where}).sort(order).limit(request.limit + 1))
    page = build_page(request, rows, lambda row: (cursor_value(row["at"]), str(row["_id"])))
    return replace(page, results=[product_changes.from_bson(row) for row in page.results])
