"""The events this service owns, and its own view of those it consumes."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints

from libs.messaging.envelope import ConsumedData, EventData
from libs.values.schema import StrictModel
from libs.values.text import Line
from libs.values.times import rfc3339
from order_service.models import RawOrder, Status


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


class Product(ConsumedData):
    """What the replica keeps of a product-* event."""

    id: Annotated[Line, StringConstraints(min_length=1, max_length=64)]
    name: Annotated[Line, StringConstraints(min_length=1, max_length=200)]
    price: Annotated[Decimal, Field(strict=False, ge=0, max_digits=12, decimal_places=2)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    active: bool
    version: Annotated[int, Field(ge=1, lt=2**31)]
    updated_at: Annotated[AwareDatetime, Field(strict=False)]


OrderId = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$")]


UserId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]


class UserDeleted(ConsumedData):
    """An account was anonymised."""

    topic: ClassVar[str] = "user-deleted"
    id: UserId


class UserRevocation(ConsumedData):
    """Tokens that were issued to a user, or in one session, before `not_before` (ms since the epoch) are void."""

    topic: ClassVar[str] = "user-revocations"
    user_id: UserId
    sid: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None
    not_before: Annotated[int, Field(ge=0, lt=2**53)]


class StockReserved(ConsumedData):
    """All lines of an order are set aside for it."""

    topic: ClassVar[str] = "stock-reserved"
    order_id: OrderId


class StockRejected(ConsumedData):
    """An order gets nothing, and why."""

    topic: ClassVar[str] = "stock-rejected"
    order_id: OrderId
    reason: Literal["out_of_stock", "price_changed"]


class MailSent(ConsumedData):
    """The SMTP server took the mail of an event, whose id is the key."""

    topic: ClassVar[str] = "mail-sent"
    kind: Annotated[Line, StringConstraints(min_length=1, max_length=64)]
    order_id: OrderId | None = None  # None: it was not about an order
    sent_at: Annotated[AwareDatetime, Field(strict=False)]
