"""The events this service owns, and its own view of those it consumes.

A product's event is a snapshot, so that a consumer needs the newest alone; an order gets one answer, which may be sent again.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from libs.messaging.envelope import EventData
from libs.values.money import format_money
from libs.values.schema import StrictModel
from libs.values.times import rfc3339


class ProductSnapshot(EventData):
    """What the three events say of a product; `version` tells a consumer which one is newer."""

    id: str
    sku: str | None
    name: str
    price: str
    currency: str
    category: str | None
    active: bool
    version: int
    stock: int
    updated_at: str

    @classmethod
    def of(cls, product: Mapping[str, Any], currency: str) -> Self:
        """From a product as MongoDB holds it."""
        return cls(
            id=str(product["_id"]),
            sku=product.get("sku"),
            name=product["name"],
            price=format_money(product["price_minor"]),
            currency=currency,
            category=product.get("category"),
            active=product["active"],
            version=product["version"],
            stock=product["stock"],
            updated_at=rfc3339(product["updated_at"]),
        )


class ProductCreated(ProductSnapshot):
    topic: ClassVar[str] = "product-created"


class ProductUpdated(ProductSnapshot):
    topic: ClassVar[str] = "product-updated"


class ProductDeleted(ProductSnapshot):
    topic: ClassVar[str] = "product-deleted"


class StockItem(StrictModel):
    product_id: str
    quantity: int
    unit_price: str


class Shortage(StrictModel):
    """A product of which an order wants more pieces than there are."""

    product_id: str
    wanted: int
    available: int


class StockAnswer(EventData):
    """The one outcome of an order here."""

    order_id: str
    items: list[StockItem]
    reason: str | None = None
    shortages: list[Shortage] = []


class StockReserved(StockAnswer):
    topic: ClassVar[str] = "stock-reserved"


class StockRejected(StockAnswer):
    topic: ClassVar[str] = "stock-rejected"
    reason: Literal["out_of_stock", "price_changed"]


PRODUCT_EVENTS = (ProductCreated, ProductUpdated, ProductDeleted)
STOCK_EVENTS = (StockReserved, StockRejected)
