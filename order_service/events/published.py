"""The events this service owns, and its own view of those it consumes."""

from typing import ClassVar, Self

from libs.messaging.envelope import EventData
from libs.values.schema import StrictModel
from libs.values.times import rfc3339
from order_service.store.models import RawOrder, Status


class Item(StrictModel):
    product_id: str
    name: str
    quantity: int
    unit_price: str
    line_total: str
    version: int


class OrderEvent(EventData):
    """An order at the moment of a transition."""

    order_id: str
    user_id: str
    user_email: str | None  # None once the account was deleted: nobody is mailed
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
    def of(cls, order: RawOrder, previous: str | None, **more: str) -> Self:
        """From an order as it is now; `previous` is the status it had before, `more` are the event's own fields."""
        items = [
            Item(
                product_id=line["product_id"],
                name=line["name"],
                quantity=line["quantity"],
                unit_price=str(line["unit_price"]),
                line_total=str(line["line_total"]),
                version=line["product_version"],
            )
            for line in order["lines"]
        ]
        return cls(
            order_id=order["id"],
            user_id=order["user_id"],
            user_email=order["user_email"] or None,
            username=order["username"],
            product_id=items[0].product_id,
            quantity=items[0].quantity,
            total=str(order["total"]),
            currency=order["currency"],
            status=str(order["status"]),
            previous_status=previous,
            reason=order["reason"],
            timestamp=rfc3339(order["updated_at"]),
            items=items,
            **more,
        )


class OrderPlaced(OrderEvent):
    topic: ClassVar[str] = "order-placed"


class OrderConfirmed(OrderEvent):
    topic: ClassVar[str] = "order-confirmed"


class OrderRejected(OrderEvent):
    topic: ClassVar[str] = "order-rejected"


class OrderShipped(OrderEvent):
    topic: ClassVar[str] = "order-shipped"


class OrderDelivered(OrderEvent):
    topic: ClassVar[str] = "order-delivered"


class OrderCancelled(OrderEvent):
    topic: ClassVar[str] = "order-cancelled"


EVENT_OF: dict[str, type[OrderEvent]] = {
    Status.PENDING: OrderPlaced,
    Status.CONFIRMED: OrderConfirmed,
    Status.REJECTED: OrderRejected,
    Status.SHIPPED: OrderShipped,
    Status.DELIVERED: OrderDelivered,
    Status.CANCELLED: OrderCancelled,
}
"""Each status has the event that tells of it."""


class MailResendRequested(OrderEvent):
    """Staff want the mail of one of the order's steps to go out again; the data is that of the step."""

    topic: ClassVar[str] = "mail-resend-requested"
    kind: str  # the topic of the step
