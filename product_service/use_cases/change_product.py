"""Staff change the fields of a product, or withdraw it from the catalogue."""

from collections.abc import Callable, Collection
from datetime import datetime

import pymongo

from libs.mongo_store.connection import TIMEOUT_MS
from libs.values.times import now
from product_service.domain.errors import StaleProduct
from product_service.domain.product import Product, ProductFields
from product_service.events.published import ProductDeleted, ProductUpdated
from product_service.store import products

Revisions = Collection[str]


def change_product(
    *, product_id: str, fields: ProductFields, if_match: Revisions | None, currency: str, actor: str
) -> Product:
    """Set `fields` and return the product. Fields that are equal already change nothing and publish nothing.

    `if_match`: the revisions of which the product must have one; None: any. Raises UnknownProduct, StaleProduct, SkuTaken.
    """

    def decide(product: Product, at: datetime) -> Product:
        _require_match(product, if_match, with_stock="stock" in fields)
        return product.with_changes(at=at, **fields)

    return _change(product_id, currency, actor, decide)


def withdraw_product(*, product_id: str, if_match: Revisions | None, currency: str, actor: str) -> Product:
    """Make a product inactive and return it. Raises UnknownProduct, StaleProduct."""

    def decide(product: Product, at: datetime) -> Product:
        _require_match(product, if_match, with_stock=False)
        return product.withdrawn(at=at)

    return _change(product_id, currency, actor, decide)


def _change(product_id: str, currency: str, actor: str, decide: Callable[[Product, datetime], Product]) -> Product:
    """Read and decide again until no other change comes between; within the time limit of a request."""
    with pymongo.timeout(TIMEOUT_MS / 1000):
        while True:
            before = products.find(product_id, currency=currency)
            after = decide(before, now())
            if after == before:
                return before
            events = [ProductDeleted if before.active and not after.active else ProductUpdated]
            if after.version == before.version:
                events = []  # stock alone is no catalogue change
            if changed := products.update(before, after, *events, actor=actor):
                return changed


def _require_match(product: Product, revisions: Revisions | None, *, with_stock: bool) -> None:
    """Orders change the stock all the time, so only a change that sets the stock must have read the present one."""
    if revisions is not None and not product.is_at(revisions, with_stock=with_stock):
        raise StaleProduct
