"""The reply of stock to an order: it has the stock, or it rejects the order for a reason, with the products concerned."""

from dataclasses import dataclass, field

REJECTION_REASONS = ("out_of_stock", "withdrawn", "price_changed")
OTHER_REASON = "other"
"""The reason of an order that stock rejected for one that this version does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """A product of which fewer pieces were `available` than the order `wanted`. `withdrawn`: it was no longer sold."""

    product_id: str
    wanted: int
    available: int
    withdrawn: bool = False

    @property
    def reason(self) -> str | None:
        """`withdrawn`, or None for a product that was only short."""
        return "withdrawn" if self.withdrawn else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentPrice:
    """The price that a product had when stock rejected its order, in minor units of the order's currency."""

    product_id: str
    price: int


@dataclass(frozen=True, slots=True)
class Rejection:
    """The reply of stock: `out_of_stock` or `withdrawn` with shortages, or `price_changed` with prices.

    Either list may be unknown: empty.
    """

    reason: str
    shortages: tuple[Shortage, ...] = ()
    prices: tuple[CurrentPrice, ...] = ()


@dataclass(frozen=True, slots=True)
class StockReply:
    """The reply to the reservation request of an order. Without a rejection its stock is reserved. `trace`: of its event."""

    order_id: str
    rejection: Rejection | None = None
    trace: str = field(default="", compare=False)
