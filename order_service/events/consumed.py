"""What order_service reads of other services' events."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from libs.messaging.envelope import ConsumedData
from libs.values.text import Line


class ProductSnapshot(ConsumedData):
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
