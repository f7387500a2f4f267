"""The decisions about a batch of orders, one after the other on the same stock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from product_service.domain.price_history import NamedPrice, PriceEnds
from product_service.domain.product import Product, StockMovement
from product_service.domain.reservation import RequestedItem, Reservation, earlier_prices


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOrder:
    """A new order, or the repeated request of one that has no reply yet. `trace`: of its event."""

    order_id: str
    items: tuple[RequestedItem, ...]
    placed_at: datetime
    trace: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledOrder:
    """The end of an order that may hold stock. `trace`: of its event."""

    order_id: str
    trace: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredOrder:
    """The end of an order whose items have left for good."""

    order_id: str


OrderRequest = PlacedOrder | CancelledOrder | DeliveredOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one request did. `before` is None for a new order. `has_reply`: whether it gets a reply, a new or an earlier one.

    `trace`: of the request, for its reply.
    """

    before: Reservation | None
    after: Reservation
    has_reply: bool = True
    trace: str = field(default="", compare=False)

    @property
    def has_new_reply(self) -> bool:
        """Whether the reply is a new one."""
        return self.has_reply and self.before != self.after

    @property
    def is_repetition(self) -> bool:
        """Whether the reply is an earlier one."""
        return self.has_reply and self.before == self.after

    def movements(self, *, at: datetime) -> tuple[StockMovement, ...]:
        """What it changed in the stock."""
        was = self.before.status if self.before else None
        return () if was is self.after.status else self.after.movements(at=at)


def decide_in_turn(
    requests: Iterable[OrderRequest],
    *,
    reservations: Mapping[str, Reservation],
    products: Mapping[str, Product],
    price_ends: PriceEnds,
    at: datetime,
) -> tuple[Decision, ...]:
    """The decisions at `at`, in the order of the requests: each as if those before it were stored.

    `reservations`: those that are stored, by order. `products`: as they are stored, by id. `price_ends`: of `named_prices`.
    """
    known, stock = dict(reservations), dict(products)
    decisions = []
    for request in requests:
        before = known.get(request.order_id)
        match request:
            case DeliveredOrder():
                if before is None:
                    continue
                decision = Decision(before=before, after=before.deliver(at=at), has_reply=False)
            case CancelledOrder():
                decision = _with_reply(request, before, _cancel(request, before, at))
            case PlacedOrder():
                decision = _with_reply(request, before, before or _reserve(request, stock, price_ends, at))
        known[request.order_id] = decision.after
        decisions.append(decision)
        for movement in decision.movements(at=at):
            product = stock[movement.product_id]
            stock[movement.product_id] = replace(product, stock=product.stock + movement.delta)
    return tuple(decisions)


def named_prices(placed: Sequence[PlacedOrder], products: Mapping[str, Product]) -> set[NamedPrice]:
    """The prices that these orders name and that their products do not have at present."""
    return earlier_prices((item for order in placed for item in order.items), products)


def _cancel(request: CancelledOrder, before: Reservation | None, at: datetime) -> Reservation:
    return before.release(at=at) if before else Reservation.cancelled_first(order_id=request.order_id, at=at)


def _reserve(order: PlacedOrder, products: Mapping[str, Product], price_ends: PriceEnds, at: datetime) -> Reservation:
    return Reservation.decide(
        order_id=order.order_id,
        items=order.items,
        products=products,
        price_ends=price_ends,
        placed_at=order.placed_at,
        at=at,
    )


def _with_reply(request: PlacedOrder | CancelledOrder, before: Reservation | None, after: Reservation) -> Decision:
    """The decision with its reply. A new one is an event of the reservation."""
    if after != before:
        after = replace(after, event_count=(before.event_count if before else 0) + 1)
    return Decision(before=before, after=after, trace=request.trace)
