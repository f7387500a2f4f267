"""The reservation of one order: all of its items or none, decided once."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal, Self

from libs.values.money import Money
from product_service.domain.price_history import NamedPrice, PriceEnds, was_shown
from product_service.domain.product import Product, StockMovement

RejectionReason = Literal["out_of_stock", "withdrawn", "price_changed"]


class Status(StrEnum):
    """What holds for an order's stock."""

    RESERVED = "RESERVED"  # the order holds its items, or they were delivered
    REJECTED = "REJECTED"  # the order never held anything
    RELEASED = "RELEASED"  # the order was cancelled: it holds nothing, and never will


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedItem:
    """One line of an order."""

    product_id: str
    quantity: int
    unit_price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """A product of which an order requests more pieces than are available. `withdrawn`: it is no longer sold."""

    product_id: str
    requested: int
    available: int
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentPrice:
    """The present price of a product that an order names at another one."""

    product_id: str
    price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The outcome that order_service receives. Without a reason the items are reserved."""

    reason: RejectionReason | None = None
    shortages: tuple[Shortage, ...] = ()  # with out_of_stock and withdrawn, by product id
    prices: tuple[CurrentPrice, ...] = ()  # with price_changed, by product id; those in the order's currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The reply to the cancellation of an order: the pieces that went back to the stock, by product id."""

    pieces: tuple[tuple[str, int], ...] = ()  # (product id, quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The stock's side of one order."""

    order_id: str
    status: Status
    items: tuple[RequestedItem, ...]  # as ordered; empty when the cancellation came first
    reply: Reply | Release | None  # the last one. None: an earlier version of the service released it
    created_at: datetime
    closed_at: datetime | None = None  # when it became REJECTED or RELEASED, or its order was delivered
    event_count: int = 0  # how many replies are stored

    @classmethod
    def decide(
        cls,
        *,
        order_id: str,
        items: Iterable[RequestedItem],
        products: Mapping[str, Product],
        price_ends: PriceEnds,
        placed_at: datetime,
        at: datetime,
    ) -> Self:
        """The decision at `at` about an order that was placed at `placed_at`: RESERVED or REJECTED.

        `products`: those of the items, by id, as they are after all earlier decisions. A product that is missing or inactive is
        withdrawn and has no pieces. All shortages are reported. Prices are checked only when no product is short.
        `price_ends`: the ends of the prices that `earlier_prices` returns for these items.
        """
        items = tuple(items)
        reply = _reply(items, products, price_ends, placed_at)
        status, closed_at = (Status.REJECTED, at) if reply.reason else (Status.RESERVED, None)
        return cls(order_id=order_id, status=status, items=items, reply=reply, created_at=at, closed_at=closed_at)

    @classmethod
    def cancelled_first(cls, *, order_id: str, at: datetime) -> Self:
        """The mark of an order that was cancelled before it arrived: it will get nothing."""
        return cls(order_id=order_id, status=Status.RELEASED, items=(), reply=Release(), created_at=at, closed_at=at)

    def release(self, *, at: datetime) -> Self:
        """The reservation after the order's cancellation, with the reply to it. A repeated call changes nothing.

        One that holds nothing, or whose items were delivered, gives nothing back and keeps its status.
        """
        if isinstance(self.reply, Release):
            return self
        if self.is_in_force:
            return replace(self, status=Status.RELEASED, reply=Release(pieces=self.pieces), closed_at=at)
        return replace(self, reply=Release(pieces=self.pieces if self.status is Status.RELEASED else ()))

    def deliver(self, *, at: datetime) -> Self:
        """The reservation after the order's delivery: closed. One that is not in force stays as it is."""
        return replace(self, closed_at=at) if self.is_in_force else self

    @property
    def is_in_force(self) -> bool:
        """Whether the order holds its items, and may still be cancelled."""
        return self.status is Status.RESERVED and self.closed_at is None

    @property
    def pieces(self) -> tuple[tuple[str, int], ...]:
        """The pieces of each product, by product id."""
        return tuple(pieces_of((item.product_id, item.quantity) for item in self.items).items())

    def movements(self, *, at: datetime) -> tuple[StockMovement, ...]:
        """What its present status has changed in the stock, by product id.

        A RESERVED one took its items, a RELEASED one gave them back.
        """
        if self.status is Status.REJECTED:
            return ()
        sign, reason = (-1, "reserved") if self.status is Status.RESERVED else (1, "released")
        return tuple(
            StockMovement(product_id=product_id, delta=sign * quantity, reason=reason, ref=self.order_id, at=at)
            for product_id, quantity in self.pieces
        )


def pieces_of(items: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The pieces of each product in (product id, quantity) pairs, by product id."""
    pieces: Counter[str] = Counter()
    for product_id, quantity in items:
        pieces[product_id] += quantity
    return dict(sorted(pieces.items()))


def earlier_prices(items: Iterable[RequestedItem], products: Mapping[str, Product]) -> set[NamedPrice]:
    """The prices of the items that their products do not have at present."""
    return {
        (item.product_id, item.unit_price)
        for item in items
        if (product := products.get(item.product_id)) and product.price != item.unit_price
    }


def _reply(
    items: tuple[RequestedItem, ...], products: Mapping[str, Product], price_ends: PriceEnds, placed_at: datetime
) -> Reply:
    requested = pieces_of((item.product_id, item.quantity) for item in items)
    shortages = tuple(
        _shortage(product_id, quantity, products.get(product_id))
        for product_id, quantity in requested.items()
        if _available(products.get(product_id)) < quantity
    )
    if shortages:
        withdrawn = any(short.withdrawn for short in shortages)
        return Reply(reason="withdrawn" if withdrawn else "out_of_stock", shortages=shortages)
    fair = {named for named, until in price_ends.items() if was_shown(until, placed_at)}
    wrong = earlier_prices(items, products) - fair
    if changed := [item for item in items if (item.product_id, item.unit_price) in wrong]:
        return Reply(reason="price_changed", prices=_current_prices(changed, products))
    return Reply()


def _current_prices(items: Iterable[RequestedItem], products: Mapping[str, Product]) -> tuple[CurrentPrice, ...]:
    """A price in another currency than the item's is left out: the reply names amounts without a currency."""
    prices = {
        item.product_id: price
        for item in items
        if (price := products[item.product_id].price).currency == item.unit_price.currency
    }
    return tuple(CurrentPrice(product_id=product_id, price=price) for product_id, price in sorted(prices.items()))


def _shortage(product_id: str, requested: int, product: Product | None) -> Shortage:
    withdrawn = product is None or not product.active
    return Shortage(product_id=product_id, requested=requested, available=_available(product), withdrawn=withdrawn)


def _available(product: Product | None) -> int:
    return product.stock if product and product.active else 0
