"""The events this service owns: snapshots of a product, so that a consumer needs the newest alone."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from chassis.envelope import EventData, rfc3339
from chassis.money import format_money
from contracts import topic_settings


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


PUBLISHED = (ProductCreated, ProductUpdated, ProductDeleted)


def topics() -> dict[str, dict[str, Any]]:
    """The topics this service needs, with their settings."""
    return topic_settings(*(event.topic for event in PUBLISHED))
