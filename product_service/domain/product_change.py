"""What staff changed about a product, and who did it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from product_service.domain.product import Product

CHANGE_RETENTION = timedelta(days=400)  # a year, and time to look back at it

Changes = dict[str, list[object]]
"""By the names that clients see: `[before, after]`. A price is a decimal string."""


class Action(StrEnum):
    """What staff did."""

    CREATED = "created"
    UPDATED = "updated"
    WITHDRAWN = "withdrawn"
    RESTORED = "restored"
    STOCK_ADJUSTED = "stock-adjusted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChange:
    """One change of a product by staff."""

    id: str = ""  # the store gives it
    product_id: str
    at: datetime
    actor: str  # the id of the user
    action: Action
    changes: Changes

    @classmethod
    def between(cls, before: Product | None, after: Product, *, actor: str, at: datetime) -> Self:
        """The change that made `after` of `before`. Without `before` the product is new."""
        old: dict[str, object] = _fields(before) if before else {}
        new = _fields(after)
        changes = {name: [old.get(name), value] for name, value in new.items() if old.get(name) != value}
        return cls(product_id=after.id, at=at, actor=actor, action=_action(before, after), changes=changes)

    @classmethod
    def of_stock(cls, after: Product, *, delta: int, actor: str, at: datetime) -> Self:
        """The adjustment of a stock by `delta` pieces."""
        changes: Changes = {"stock": [after.stock - delta, after.stock]}
        return cls(product_id=after.id, at=at, actor=actor, action=Action.STOCK_ADJUSTED, changes=changes)


def _action(before: Product | None, after: Product) -> Action:
    if before is None:
        return Action.CREATED
    if before.active != after.active:
        return Action.RESTORED if after.active else Action.WITHDRAWN
    return Action.UPDATED


def _fields(product: Product) -> dict[str, object]:
    return {
        "name": product.name,
        "description": product.description,
        "sku": product.sku,
        "category": product.category,
        "imageUrl": product.image_url,
        "price": str(product.price),
        "currency": product.price.currency,
        "stock": product.stock,
        "active": product.active,
    }
