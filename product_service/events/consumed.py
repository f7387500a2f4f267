"""The fields that product_service reads of other services' events."""

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field, StringConstraints

from libs.messaging.envelope import ConsumedData
from libs.values.money import Money
from libs.values.times import MAX_TIME_MS
from product_service.domain.reservation import RequestedItem

OrderId = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$")]


class OrderLine(ConsumedData):
    """One line of an order."""

    product_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]
    quantity: Annotated[int, Field(ge=1, lt=2**31)]
    unit_price: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}\.[0-9]{2}$")]


class OrderPlaced(ConsumedData):
    """A new order, or the repeated request of one that is still pending."""

    topic: ClassVar[str] = "order-placed"
    order_id: OrderId
    timestamp: Annotated[AwareDatetime, Field(strict=False)]  # when the customer placed it
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    items: Annotated[list[OrderLine], Field(min_length=1, max_length=50)]

    def requested_items(self) -> list[RequestedItem]:
        """The lines, with their prices in the currency of the order."""
        return [
            RequestedItem(
                product_id=line.product_id,
                quantity=line.quantity,
                unit_price=Money.parse(line.unit_price, self.currency),
            )
            for line in self.items
        ]


class OrderCancelled(ConsumedData):
    """The end of an order that may hold stock."""

    topic: ClassVar[str] = "order-cancelled"
    order_id: OrderId


class OrderDelivered(ConsumedData):
    """The end of an order whose items have left for good."""

    topic: ClassVar[str] = "order-delivered"
    order_id: OrderId


class StockReleaseRequested(ConsumedData):
    """order_service finds stock reserved for an order that does not need it. `delivered`: its items have left for good."""

    topic: ClassVar[str] = "stock-release-requested"
    order_id: OrderId
    delivered: bool


class UserRevocation(ConsumedData):
    """Tokens that were issued to a user, or in one session, before `not_before` (ms since the epoch) are void."""

    topic: ClassVar[str] = "user-revocations"
    user_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]
    sid: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None
    not_before: Annotated[int, Field(ge=0, lt=MAX_TIME_MS)]
