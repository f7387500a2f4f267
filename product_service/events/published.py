"""The events that product_service owns.

An event of a product is a snapshot, so a consumer needs only the newest one. An order gets one reply, and one more when it is
cancelled. Each may be sent again.
"""

from collections.abc import Iterable
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


class Pieces(StrictModel):
    """Pieces of one product that an order holds, or that it gave back."""

    product_id: str
    quantity: int

    @classmethod
    def rows(cls, pieces: Iterable[tuple[str, int]]) -> list[Self]:
        """From (product id, quantity) pairs."""
        return [cls(product_id=product_id, quantity=quantity) for product_id, quantity in pieces]


class StockReleased(EventData):
    """The reply to the cancellation of an order. Without items the order held nothing."""

    topic: ClassVar[str] = "stock-released"
    order_id: str
    items: list[Pieces]

    @classmethod
    def of(cls, reservation: Reservation) -> Self:
        """The reply of a reservation. Raises ValueError for that of an order that is not cancelled."""
        if not isinstance(reservation.reply, Release):
            raise ValueError("the order is not cancelled")
        return cls(order_id=reservation.order_id, items=Pieces.rows(reservation.reply.pieces))


class HeldReservation(StrictModel):
    """A reservation in force."""

    order_id: str
    items: list[Pieces]


class StockHeld(EventData):
    """The reservations in force of a range of order ids, at one moment. The pages of a round follow each other.

    `after`: the end of the page before; None: the first page. `until`: the last id of the range; None: there is no page after it.
    """

    topic: ClassVar[str] = "stock-held"
    round: str
    after: str | None
    until: str | None
    as_of: str
    reservations: list[HeldReservation]


PRODUCT_EVENTS = (ProductCreated, ProductUpdated, ProductDeleted)
STOCK_EVENTS = (StockReserved, StockRejected, StockReleased)
