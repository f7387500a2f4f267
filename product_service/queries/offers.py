"""What is on sale now, for services that keep a replica of the catalogue."""

from collections.abc import Collection

from bson import ObjectId

from product_service.domain.product import Product
from product_service.queries.products import SHOWN
from product_service.store import documents
from product_service.store.product_rows import from_bson


def list_offers(product_ids: Collection[str], *, currency: str) -> list[Product]:
    """The products on sale among these, by id, without their earlier prices. One read of the primary."""
    wanted = [ObjectId(product_id) for product_id in product_ids]
    rows = documents.products().find({"_id": {"$in": wanted}, "active": True}, SHOWN).sort("_id", 1)
    return [from_bson(row, currency) for row in rows]
