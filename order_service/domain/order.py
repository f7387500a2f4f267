"""An order, as the service thinks of it. Every type is frozen: a change makes a new order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from libs.values.money import Money
from order_service.domain.customer import Customer
from order_service.domain.order_id import new_id
from order_service.domain.order_status import Status, require_transition
from order_service.domain.rejection import CurrentPrice, Rejection, Shortage


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingAddress:
    """Where an order goes. `country`: ISO 3166-1 alpha-2, in upper case. Countries differ in which lines they need."""

    name: str
    line1: str
    line2: str | None = None
    city: str | None = None
    postal_code: str | None = None
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One product of an order, with the name and price that the catalogue had at the time of the order."""

    product_id: str
    name: str
    quantity: int
    unit_price: Money
    product_version: int

    @property
    def total(self) -> Money:
        """The price of all pieces."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """A change of an order's status. `before` is None when the order was placed."""

    before: Status | None
    after: Status
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order with its lines, at least one. `version` is the number of its events that are stored.

    A rejected order has the shortages or the prices that stock replied with, if they are known.
    """

    id: str
    customer: Customer
    lines: tuple[OrderLine, ...]
    status: Status
    shipping_address: ShippingAddress | None
    reason: str | None
    created_at: datetime
    updated_at: datetime
    version: int
    shortages: tuple[Shortage, ...] = ()
    prices: tuple[CurrentPrice, ...] = ()

    @classmethod
    def place(
        cls, *, customer: Customer, lines: Sequence[OrderLine], shipping_address: ShippingAddress | None, at: datetime
    ) -> Self:
        """A new order, pending until stock replies. Its id contains `at` in milliseconds."""
        return cls(
            id=new_id(at),
            customer=customer,
            lines=tuple(lines),
            status=Status.PENDING,
            shipping_address=shipping_address,
            reason=None,
            created_at=at,
            updated_at=at,
            version=0,
        )

    def move_to(self, status: Status, *, at: datetime, reason: str | None = None) -> Self:
        """The order with its next status. Raises IllegalTransition."""
        require_transition(self.status, status)
        return replace(self, status=status, reason=reason, updated_at=at)

    def reject(self, rejection: Rejection, *, at: datetime) -> Self:
        """The order that stock can't fill. What the rejection has of other products is dropped. Raises IllegalTransition."""
        own = {line.product_id for line in self.lines}
        return replace(
            self.move_to(Status.REJECTED, at=at, reason=rejection.reason),
            shortages=tuple(short for short in rejection.shortages if short.product_id in own),
            prices=tuple(price for price in rejection.prices if price.product_id in own),
        )

    def at_change(self, change: StatusChange) -> Self:
        """The order as it was right after one of its changes."""
        then = replace(self, status=change.after, reason=change.reason, updated_at=change.at)
        return then if then.status is Status.REJECTED else replace(then, shortages=(), prices=())

    @property
    def currency(self) -> str:
        """ISO 4217 code. All lines have the same one."""
        return self.lines[0].unit_price.currency

    @property
    def total(self) -> Money:
        """The price of all lines."""
        return Money.sum((line.total for line in self.lines), self.currency)

    def name_of(self, product_id: str) -> str:
        """The name that a product of the order had at the time of the order."""
        return next(line.name for line in self.lines if line.product_id == product_id)

    def owned_by(self, user_id: str) -> bool:
        """True for the order's customer."""
        return self.customer.user_id == user_id
