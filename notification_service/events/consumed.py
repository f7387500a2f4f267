"""The event that this service publishes, and its own view of those it consumes: the fields that a mail needs.

What comes in is untrusted: whatever could break a header (line breaks, a second address) is refused here and dead-lettered.
"""

from typing import Annotated, Literal

from email_validator import validate_email
from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from libs.messaging.envelope import ConsumedData
from libs.values.text import Line


def _require_one_address(text: str) -> str:
    """The address with its domain in ASCII, as SMTP wants it. Raises ValueError unless it is one address and nothing else."""
    address = validate_email(text, check_deliverability=False)
    return f"{address.local_part}@{address.ascii_domain}"


Email = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[^\s<>]+@[^\s<>]+$"), AfterValidator(_require_one_address)
]
UserId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]
Username = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{3,30}$")]
OrderId = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$")]
Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}\.[0-9]{2}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class UserRegistered(ConsumedData):
    topic = "user-registered"
    username: Username
    email: Email


class UserMailRequested(ConsumedData):
    """Somebody wants a link with a single-use token. Nothing of it is logged."""

    topic = "user-mail-requested"
    kind: Literal["reset", "verify"]
    username: Username
    email: Email
    token: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{20,128}$")]
    expires_at: Annotated[AwareDatetime, Field(strict=False)]


class UserDeleted(ConsumedData):
    topic = "user-deleted"
    id: UserId


class UserRevocation(ConsumedData):
    """Tokens that were issued to a user, or in one session, before `not_before` (ms since the epoch) are void."""

    topic = "user-revocations"
    user_id: UserId
    sid: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None
    not_before: Annotated[int, Field(ge=0, lt=2**53)]


class OrderLine(ConsumedData):
    name: Annotated[Line, StringConstraints(min_length=1, max_length=200)]
    quantity: Annotated[int, Field(ge=1)]
    unit_price: Amount
    line_total: Amount


class OrderStep(ConsumedData):
    """Any of the order-* events: they carry the same data."""

    order_id: OrderId
    user_email: Email | None  # None: the account is gone
    username: Username
    total: Amount
    currency: Currency
    reason: Annotated[str, StringConstraints(max_length=200)] | None = None
    items: Annotated[list[OrderLine], Field(min_length=1, max_length=50)]


class MailResendRequested(OrderStep):
    """Staff want the mail of one of an order's steps to go out again; the data is that of the step."""

    topic = "mail-resend-requested"
    kind: Literal[
        "order-placed", "order-confirmed", "order-rejected", "order-shipped", "order-delivered", "order-cancelled"
    ]
