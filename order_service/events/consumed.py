"""The service's own view of the events that it consumes: the fields it needs."""

from datetime import UTC
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints

from libs.messaging.envelope import ConsumedData
from libs.values.money import Money, parse_money
from libs.values.text import Line, StoredLine
from libs.values.times import MAX_TIME_MS
from order_service.domain.pricing import MAX_TOTAL, CatalogueProduct
from order_service.domain.reconciliation import HeldPage
from order_service.domain.rejection import OTHER_REASON, REJECTION_REASONS, CurrentPrice, Rejection, Shortage

ProductId = Annotated[Line, StringConstraints(min_length=1, max_length=64)]
Price = Annotated[int, BeforeValidator(parse_money), Field(le=MAX_TOTAL)]  # minor units


class ProductSnapshot(ConsumedData):
    """A product, as any product-* event has it."""

    id: ProductId
    name: Annotated[StoredLine, StringConstraints(min_length=1, max_length=200)]
    price: Price
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    active: bool
    version: Annotated[int, Field(ge=1, lt=2**31)]
    updated_at: Annotated[AwareDatetime, Field(strict=False)]

    def to_product(self) -> CatalogueProduct:
        """The product for the replica of the catalogue."""
        return CatalogueProduct(
            id=self.id,
            name=self.name,
            price=Money(self.price, self.currency),
            active=self.active,
            version=self.version,
            updated_at=self.updated_at,
        )


OrderId = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$")]


UserId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]


class UserDeleted(ConsumedData):
    """An account was deleted."""

    topic: ClassVar[str] = "user-deleted"
    id: UserId


class UserUpdated(ConsumedData):
    """An account's name, address, roles or activity changed, or this service asked for it."""

    topic: ClassVar[str] = "user-updated"
    id: UserId
    email: Annotated[Line, StringConstraints(min_length=3, max_length=254)]
    email_verified: bool | None = None  # None: not known


class UserRevocation(ConsumedData):
    """Tokens that were issued to a user, or in one session, before `not_before` (ms since the epoch) are void."""

    topic: ClassVar[str] = "user-revocations"
    user_id: UserId
    sid: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None
    not_before: Annotated[int, Field(ge=0, lt=MAX_TIME_MS)]


class StockReserved(ConsumedData):
    """The reply to a reservation request: all items are reserved."""

    topic: ClassVar[str] = "stock-reserved"
    order_id: OrderId


class StockShortage(ConsumedData):
    """A product of which stock has too few pieces. `reason`: withdrawn, when it is no longer sold."""

    product_id: ProductId
    wanted: Annotated[int, Field(ge=1)]
    available: Annotated[int, Field(ge=0)]
    reason: str | None = None

    def to_shortage(self) -> Shortage:
        """The shortage of a rejection. A reason of its own that this version does not know is left out."""
        withdrawn = self.reason == "withdrawn"
        return Shortage(product_id=self.product_id, wanted=self.wanted, available=self.available, withdrawn=withdrawn)


class StockPrice(ConsumedData):
    """A product that has another price now, in the currency of the order."""

    product_id: ProductId
    price: Price


class StockRejected(ConsumedData):
    """The reply to a reservation request: nothing is reserved, for this reason. A reason of a later version becomes `other`."""

    topic: ClassVar[str] = "stock-rejected"
    order_id: OrderId
    reason: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    shortages: list[StockShortage] = Field(max_length=50)
    prices: list[StockPrice] = Field([], max_length=50)

    def to_rejection(self) -> Rejection:
        """The rejection of the order."""
        return Rejection(
            self.reason if self.reason in REJECTION_REASONS else OTHER_REASON,
            tuple(short.to_shortage() for short in self.shortages),
            tuple(CurrentPrice(product_id=current.product_id, price=current.price) for current in self.prices),
        )


class StockReleased(ConsumedData):
    """The reply to a cancellation: the order holds no stock."""

    topic: ClassVar[str] = "stock-released"
    order_id: OrderId


class HeldPieces(ConsumedData):
    """Pieces of one product that an order holds."""

    product_id: ProductId
    quantity: Annotated[int, Field(ge=1)]


class HeldReservation(ConsumedData):
    """A reservation in force."""

    order_id: OrderId
    items: list[HeldPieces] = Field(max_length=50)


class StockHeld(ConsumedData):
    """A page of the reservations in force, by order id."""

    topic: ClassVar[str] = "stock-held"
    round: OrderId
    after: OrderId | None
    until: OrderId | None
    as_of: Annotated[AwareDatetime, Field(strict=False)]
    reservations: list[HeldReservation] = Field(max_length=500)

    def to_page(self) -> HeldPage:
        """The page to compare with the orders."""
        return HeldPage(
            round=self.round,
            after=self.after,
            until=self.until,
            as_of=self.as_of.astimezone(UTC),
            held={row.order_id: {item.product_id: item.quantity for item in row.items} for row in self.reservations},
        )


class MailSent(ConsumedData):
    """What became of the mail of an event. The key is the id of that event."""

    topic: ClassVar[str] = "mail-sent"
    kind: Annotated[Line, StringConstraints(min_length=1, max_length=64)]
    order_id: OrderId | None = None  # None: the mail is not about an order
    sent_at: Annotated[AwareDatetime, Field(strict=False)]
    outcome: Annotated[Line, StringConstraints(min_length=1, max_length=32)] = "sent"
