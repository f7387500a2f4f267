"""The events that product_service owns.

An event of a product is a snapshot, so a consumer needs only the newest one. An order gets one reply, and one more when it is
cancelled. Each may be sent again.
"""

from typing import ClassVar, Literal, Self

from pydantic import Field

from libs.messaging.envelope import EventData
from libs.values.schema import StrictModel
from libs.values.times import rfc3339
from product_service.domain import reservation as domain
from product_service.domain.product import Product
from product_service.domain.reservation import RejectionReason, Release, Reservation

SOURCE = "product_service"  # ce_source of every event


class ProductSnapshot(EventData):
    """The data of the three events of a product. The snapshot with the higher `version` is newer."""

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
    def of(cls, product: Product) -> Self:
        """The snapshot of `product`."""
        return cls(
            id=product.id,
            sku=product.sku,
            name=product.name,
            price=str(product.price),
            currency=product.price.currency,
            category=product.category,
            active=product.active,
            version=product.version,
            stock=product.stock,
            updated_at=rfc3339(product.updated_at),
        )


class ProductCreated(ProductSnapshot):
    topic: ClassVar[str] = "product-created"


class ProductUpdated(ProductSnapshot):
    topic: ClassVar[str] = "product-updated"


class ProductDeleted(ProductSnapshot):
    topic: ClassVar[str] = "product-deleted"


class StockItem(StrictModel):
    """One line of an order."""

    product_id: str
    quantity: int
    unit_price: str


def _is_absent(value: object) -> bool:
    return value is None


class Shortage(StrictModel):
    """A product of which an order requests more pieces than are available. `reason`: withdrawn, when it is no longer sold."""

    product_id: str
    wanted: int
    available: int
    reason: Literal["withdrawn"] | None = Field(None, exclude_if=_is_absent)

    @classmethod
    def of(cls, short: domain.Shortage) -> Self:
        """From a shortage."""
        return cls(
            product_id=short.product_id,
            wanted=short.requested,
            available=short.available,
            reason="withdrawn" if short.withdrawn else None,
        )


class CurrentPrice(StrictModel):
    """The present price of a product, in the currency of the order."""

    product_id: str
    price: str


class StockReply(EventData):
    """The reply to one order."""

    order_id: str
    items: list[StockItem]
    reason: str | None = None
    shortages: list[Shortage] = []

    @staticmethod
    def of(reservation: Reservation) -> "StockReply":
        """The reply of a reservation. Raises ValueError for that of a cancelled order, which has another one."""
        if reservation.reply is None or isinstance(reservation.reply, Release):
            raise ValueError("the order is cancelled")
        items = [
            StockItem(product_id=item.product_id, quantity=item.quantity, unit_price=str(item.unit_price))
            for item in reservation.items
        ]
        if reservation.reply.reason is None:
            return StockReserved(order_id=reservation.order_id, items=items)
        shortages = [Shortage.of(short) for short in reservation.reply.shortages]
        prices = [
            CurrentPrice(product_id=current.product_id, price=str(current.price))
            for current in reservation.reply.prices
        ]
        return StockRejected(
            order_id=reservation.order_id,
            items=items,
            reason=reservation.reply.reason,
            shortages=shortages,
            prices=prices,
        )


class StockReserved(StockReply):
    topic: ClassVar[str] = "stock-reserved"


class StockRejected(StockReply):
    topic: ClassVar[str] = "stock-rejected"
    reason: RejectionReason
    prices: list[CurrentPrice] = []


class ReleasedItem(StrictModel):
    """Pieces that went back to the stock."""

    product_id: str
    quantity: int


class StockReleased(EventData):
    """The reply to the cancellation of an order. Without items the order held nothing."""

    topic: ClassVar[str] = "stock-released"
    order_id: str
    items: list[ReleasedItem]

    @classmethod
    def of(cls, reservation: Reservation) -> Self:
        """The reply of a reservation. Raises ValueError for that of an order that is not cancelled."""
        if not isinstance(reservation.reply, Release):
            raise ValueError("the order is not cancelled")
        items = [ReleasedItem(product_id=product_id, quantity=count) for product_id, count in reservation.reply.pieces]
        return cls(order_id=reservation.order_id, items=items)


PRODUCT_EVENTS = (ProductCreated, ProductUpdated, ProductDeleted)
STOCK_EVENTS = (StockReserved, StockRejected, StockReleased)
