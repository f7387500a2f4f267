"""The JSON of the responses."""

from typing import Any

import orjson

from libs.values.pages import Page
from libs.values.times import rfc3339
from product_service.domain.product import Product
from product_service.domain.product_change import ProductChange
from product_service.queries.product_json import ProductState


def to_public(product: Product) -> dict[str, Any]:
    """A product as clients see it."""
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "description": product.description,
        "category": product.category,
        "imageUrl": product.image_url,
        "price": str(product.price),
        "currency": product.price.currency,
        "stock": product.stock,
        "active": product.active,
        "version": product.version,
        "createdAt": rfc3339(product.created_at),
        "updatedAt": rfc3339(product.updated_at),
    }


def to_change(change: ProductChange) -> dict[str, Any]:
    """A change of a product, as viewers see it."""
    return {
        "id": change.id,
        "at": rfc3339(change.at),
        "actor": change.actor,
        "action": change.action,
        "changes": change.changes,
    }


def to_change_page(page: Page[ProductChange], url: str) -> dict[str, Any]:
    """A page of changes. `url`: that of the request, for the links to the next and the previous page."""
    return page.render(url, to_change)


def to_page(page: Page[ProductState], url: str) -> dict[str, Any]:
    """A page of products; `url`: that of the request, for the links to the next and the previous page."""
    return page.render(url, lambda product: orjson.Fragment(product.json))
