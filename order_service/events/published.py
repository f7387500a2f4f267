"""The events this service owns. `OrderPlaced.of(order)` makes one from an order."""

from typing import Any, ClassVar, Self

from pydantic import Field

from libs.messaging.envelope import EventData
from libs.values.money import format_money
from libs.values.schema import StrictModel
from libs.values.times import rfc3339
from order_service.domain.order import Order, OrderLine
from order_service.domain.order_status import Status


class Item(StrictModel):
    """A line of an order."""

    product_id: str
    name: str
    quantity: int
    unit_price: str
    line_total: str
    version: int

    @classmethod
    def of(cls, line: OrderLine) -> Self:
        """From a line."""
        return cls(
            product_id=line.product_id,
            name=line.name,
            quantity=line.quantity,
            unit_price=str(line.unit_price),
            line_total=str(line.total),
            version=line.product_version,
        )


# For the names of all shortages together, in UTF-8. Lines of 50 products with the longest names leave that much of 64 KiB.
SHORTAGE_NAMES_BYTES = 11_400


def _cut(name: str, size: int) -> str:
    return name.encode()[:size].decode(errors="ignore")


def _is_unknown(value: object) -> bool:
    return value is None


class Shortage(StrictModel):
    """A line of which stock had too few pieces. `reason`: withdrawn, when its product was no longer sold."""

    product_id: str
    name: str
    wanted: int
    available: int
    reason: str | None = Field(None, exclude_if=_is_unknown)


class CurrentPrice(StrictModel):
    """A product whose price has changed, with the present one."""

    product_id: str
    price: str


class OrderEvent(EventData):
    """An order at the moment of a transition."""

    order_id: str
    user_id: str
    user_email: str | None  # None once the account was deleted: notification_service sends no mail then
    email_verified: bool | None = Field(None, exclude_if=_is_unknown)
    username: str
    product_id: str
    quantity: int
    total: str
    currency: str
    status: str
    previous_status: str | None
    reason: str | None
    timestamp: str
    items: list[Item]

    @classmethod
    def of(cls, order: Order, previous: Status | None = None, **more: Any) -> Self:
        """From an order after a transition. `previous`: its status before. `more`: the fields of a subclass."""
        items = [Item.of(line) for line in order.lines]
        address = order.customer.address
        return cls(
            order_id=order.id,
            user_id=order.customer.user_id,
            user_email=order.customer.email,
            email_verified=address.verified if address else None,
            username=order.customer.username,
            product_id=items[0].product_id,
            quantity=items[0].quantity,
            total=str(order.total),
            currency=order.currency,
            status=str(order.status),
            previous_status=previous and str(previous),
            reason=order.reason,
            timestamp=rfc3339(order.updated_at),
            items=items,
            **more,
        )


class OrderPlaced(OrderEvent):
    topic: ClassVar[str] = "order-placed"


class OrderConfirmed(OrderEvent):
    topic: ClassVar[str] = "order-confirmed"


class RejectedOrderEvent(OrderEvent):
    """An order that may be rejected, with the lines that stock could not fill, or the prices that have changed.

    Of many shortages with long names, the names are cut.
    """

    shortages: list[Shortage] | None = Field(None, exclude_if=_is_unknown)
    prices: list[CurrentPrice] | None = Field(None, exclude_if=_is_unknown)

    @classmethod
    def of(cls, order: Order, previous: Status | None = None, **more: Any) -> Self:
        """As OrderEvent.of."""
        shortages = [
            Shortage(
                product_id=short.product_id,
                name=_cut(order.name_of(short.product_id), SHORTAGE_NAMES_BYTES // len(order.shortages)),
                wanted=short.wanted,
                available=short.available,
                reason=short.reason,
            )
            for short in order.shortages
        ]
        prices = [
            CurrentPrice(product_id=current.product_id, price=format_money(current.price)) for current in order.prices
        ]
        return super().of(order, previous, shortages=shortages or None, prices=prices or None, **more)


class OrderRejected(RejectedOrderEvent):
    topic: ClassVar[str] = "order-rejected"


class OrderShipped(OrderEvent):
    topic: ClassVar[str] = "order-shipped"


class OrderDelivered(OrderEvent):
    topic: ClassVar[str] = "order-delivered"


class OrderCancelled(OrderEvent):
    topic: ClassVar[str] = "order-cancelled"


EVENT_OF: dict[Status, type[OrderEvent]] = {
    Status.PENDING: OrderPlaced,
    Status.CONFIRMED: OrderConfirmed,
    Status.REJECTED: OrderRejected,
    Status.SHIPPED: OrderShipped,
    Status.DELIVERED: OrderDelivered,
    Status.CANCELLED: OrderCancelled,
}
"""The event of the transition to each status."""


class MailResendRequested(RejectedOrderEvent):
    """Staff requested that the mail of one of the order's transitions is sent again; the data is that of the transition."""

    topic: ClassVar[str] = "mail-resend-requested"
    kind: str  # the topic of the transition's event, such as order-shipped


class StockReleaseRequested(EventData):
    """product_service holds stock for an order that does not need it. `delivered`: its items have left for good."""

    topic: ClassVar[str] = "stock-release-requested"
    order_id: str
    delivered: bool


class UserResendRequested(EventData):
    """order_service does not know the address of an account. The reply is user-updated, or user-deleted."""

    topic: ClassVar[str] = "user-resend-requested"
    user_id: str
