"""A product of the catalogue, with its price and its stock."""

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self, TypedDict, Unpack

from libs.values.money import Money

MAX_PRICE_MINOR = 9_999_999  # 99,999.99
MAX_STOCK = 10_000_000  # pieces
SORT_KEY_LENGTH = 60  # a cursor holds the key, and a URL is at most 4 KiB


class ProductFields(TypedDict, total=False):
    """The fields that staff set."""

    name: str
    description: str
    sku: str | None
    category: str | None
    image_url: str | None
    price: Money
    stock: int
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product of the catalogue. A withdrawn product is kept, inactive: orders and movements refer to it."""

    id: str  # 24 hexadecimal digits
    name: str
    description: str = ""
    sku: str | None = None
    category: str | None = None
    image_url: str | None = None
    price: Money
    stock: int  # pieces that can be sold
    active: bool = True
    version: int = 1  # the number of changes of catalogue data, which are all fields but the stock
    created_at: datetime
    updated_at: datetime  # the last change of catalogue data

    @property
    def revision(self) -> str:
        """`version.stock`: the state that a client has read. It is the ETag."""
        return f"{self.version}.{self.stock}"

    def is_at(self, revisions: Collection[str], *, with_stock: bool) -> bool:
        """Whether one of `revisions` names the present state; its stock counts only `with_stock`."""
        if with_stock:
            return self.revision in revisions
        return str(self.version) in {revision.partition(".")[0] for revision in revisions}

    def with_changes(self, *, at: datetime, **fields: Unpack[ProductFields]) -> Self:
        """The product with these fields. A change of catalogue data makes a new version, a change of the stock does not."""
        changed = replace(self, **fields)
        if changed == replace(self, stock=changed.stock):
            return changed
        return replace(changed, version=self.version + 1, updated_at=at)

    def withdrawn(self, *, at: datetime) -> Self:
        """The product out of the catalogue."""
        return replace(self, active=False, version=self.version + 1, updated_at=at) if self.active else self


@dataclass(frozen=True, slots=True, kw_only=True)
class StockMovement:
    """One change of a product's stock. The sum of a product's movements is its stock."""

    product_id: str
    delta: int  # pieces; negative when they leave the stock
    reason: str
    ref: str | None = None  # the order it belongs to
    actor: str | None = None  # the user who made it
    at: datetime


def sort_key(name: str) -> str:
    """The form by which names are sorted: without case and accents."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in letters if not unicodedata.combining(c))[:SORT_KEY_LENGTH]
