"""This service's own view of the events that it consumes: the fields that a mail needs.

The events are untrusted input. A value that could break a header, such as a line break or a second address, is refused here,
and its event is dead-lettered.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Literal, get_args

from pydantic import AwareDatetime, Field, StringConstraints

from libs.messaging.envelope import ConsumedData
from libs.values.money import Money
from libs.values.text import Line, StoredLine
from libs.values.times import MAX_TIME_MS
from notification_service.domain import mail
from notification_service.domain.recipient import Recipient

UserId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]
ProductId = UserId
Username = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{3,30}$")]
OrderId = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$")]
Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}\.[0-9]{2}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
OrderTopic = Literal[
    "order-placed", "order-confirmed", "order-rejected", "order-shipped", "order-delivered", "order-cancelled"
]
ORDER_TOPICS: tuple[str, ...] = get_args(OrderTopic)


class UserRegistered(ConsumedData):
    topic = "user-registered"
    username: Username
    email: Recipient
    email_verified: bool | None = None

    def content(self) -> mail.AccountContent:
        """What its mail is made of."""
        return mail.AccountContent(username=self.username)


class UserMailRequested(ConsumedData):
    """A user requested a link with a single-use token. Logs hold none of its fields."""

    topic = "user-mail-requested"
    kind: Literal["reset", "verify"]
    user_id: UserId
    username: Username
    email: Recipient
    token: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{20,128}$")]
    expires_at: Annotated[AwareDatetime, Field(strict=False)]

    def content(self) -> mail.LinkContent:
        """What its mail is made of."""
        return mail.LinkContent(username=self.username, token=self.token, expires_at=self.expires_at)


class UserNoticeRequested(ConsumedData):
    """An account changed, and its owner should know it. `email` is the address that the notice goes to.

    A kind of a later version gets a mail in general words.
    """

    topic = "user-notice-requested"
    kind: Annotated[Line, StringConstraints(min_length=1, max_length=64)]
    user_id: UserId
    username: Username
    email: Recipient
    occurred_at: Annotated[AwareDatetime, Field(strict=False)]

    def content(self) -> mail.NoticeContent:
        """What its mail is made of."""
        return mail.NoticeContent(username=self.username, occurred_at=self.occurred_at)


class LostLink(ConsumedData):
    """The dead letter of a UserMailRequested. It has no token and no address."""

    topic = "user-mail-requested"
    kind: Literal["reset", "verify"]
    user_id: UserId


class UserDeleted(ConsumedData):
    topic = "user-deleted"
    id: UserId


class UserRevocation(ConsumedData):
    """The tokens of a user, or of one session, are void if they were issued before `not_before` (ms since the epoch)."""

    topic = "user-revocations"
    user_id: UserId
    sid: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None
    not_before: Annotated[int, Field(ge=0, lt=MAX_TIME_MS)]


class OrderLine(ConsumedData):
    product_id: ProductId | None = None
    name: Annotated[StoredLine, StringConstraints(min_length=1, max_length=200)]
    quantity: Annotated[int, Field(ge=1)]
    unit_price: Amount
    line_total: Amount


class Shortage(ConsumedData):
    name: Annotated[StoredLine, StringConstraints(min_length=1, max_length=200)]
    wanted: Annotated[int, Field(ge=1)]
    available: Annotated[int, Field(ge=0)]
    reason: str | None = None

    def content(self) -> mail.Shortage:
        """The line of the mail. A reason that this version does not know is not shown."""
        withdrawn = self.reason == "withdrawn"
        return mail.Shortage(name=self.name, wanted=self.wanted, available=self.available, withdrawn=withdrawn)


class CurrentPrice(ConsumedData):
    product_id: ProductId
    price: Amount


class OrderEvent(ConsumedData):
    """Any of the order-* events. Their data are the same, but for order-rejected."""

    order_id: OrderId
    user_id: UserId
    user_email: Recipient | None  # None: the account was deleted
    email_verified: bool | None = None  # None: not known
    username: Username
    total: Amount
    currency: Currency
    reason: Annotated[str, StringConstraints(max_length=200)] | None = None
    items: Annotated[list[OrderLine], Field(min_length=1, max_length=50)]

    def content(self) -> mail.OrderContent:
        """What its mail is made of."""
        lines = (
            mail.OrderLine(
                name=line.name,
                quantity=line.quantity,
                unit_price=Money.parse(line.unit_price, self.currency),
                line_total=Money.parse(line.line_total, self.currency),
            )
            for line in self.items
        )
        return mail.OrderContent(
            order_id=self.order_id,
            username=self.username,
            total=Money.parse(self.total, self.currency),
            lines=tuple(lines),
            reason=self.reason,
        )


class OrderRejected(OrderEvent):
    """An order was rejected. `shortages` and `prices` say why, line by line."""

    topic = "order-rejected"
    shortages: Annotated[list[Shortage], Field(max_length=50)] = []
    prices: Annotated[list[CurrentPrice], Field(max_length=50)] = []

    def content(self) -> mail.OrderContent:
        """What its mail is made of."""
        shortages = tuple(short.content() for short in self.shortages)
        return replace(super().content(), shortages=shortages, price_changes=tuple(self._price_changes()))

    def _price_changes(self) -> Iterator[mail.PriceChange]:
        """The present prices, in the order of the lines. A price of a product that was not ordered is left out."""
        prices = {current.product_id: current.price for current in self.prices}
        for line in self.items:
            if price := prices.get(line.product_id or ""):
                ordered_at = Money.parse(line.unit_price, self.currency)
                yield mail.PriceChange(name=line.name, ordered_at=ordered_at, price=Money.parse(price, self.currency))


class MailResendRequested(OrderRejected):
    """Staff resend the mail of one step of an order. The data is that of the step."""

    topic = "mail-resend-requested"
    kind: OrderTopic
