"""The conversion between a product and its document."""

from typing import Any

from bson import ObjectId

from libs.mongo_store.connection import Bson
from libs.values.money import Money
from product_service.domain.product import Product, sort_key
from product_service.domain.search_words import FORMS_VERSION, category_key, stored_words

SHOWN = {"price_log": 0, "search_words": 0}
"""The projection of a document for readers: only reservations read the earlier prices."""
SEARCH_FIELDS = ("name", "description", "sku", "category")
"""The fields of a document from which the fields for searches follow."""


def search_fields(row: Bson) -> dict[str, Any]:
    """The fields for searches, from the SEARCH_FIELDS of a document."""
    category = row.get("category")
    return {
        "category_key": category_key(category) if category else None,
        "search_words": stored_words([row["name"], row["description"], row.get("sku") or ""]),
        "words_version": FORMS_VERSION,
    }


def from_bson(row: Bson, currency: str) -> Product:
    """A product from its document. `currency`: the shop's, for a price without one."""
    currency = row.get("currency", currency)
    return Product(
        id=str(row["_id"]),
        name=row["name"],
        description=row["description"],
        sku=row.get("sku"),
        category=row.get("category"),
        image_url=row.get("image_url"),
        price=Money(row["price_minor"], currency),
        stock=row["stock"],
        active=row["active"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def to_bson(product: Product) -> dict[str, Any]:
    """All fields of a product's document but `sequence`, which only the store counts."""
    row = {
        "_id": ObjectId(product.id),
        "name": product.name,
        "name_key": sort_key(product.name),
        "description": product.description,
        "sku": product.sku,
        "category": product.category,
        "image_url": product.image_url,
        "price_minor": product.price.minor,
        "currency": product.price.currency,
        "stock": product.stock,
        "active": product.active,
        "version": product.version,
        "created_at": product.created_at,
        "updated_at": product.updated_at,
    }
    return row | search_fields(row)
