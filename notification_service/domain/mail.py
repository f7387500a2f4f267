"""Mails: what one is made of, one that is ready to be sent, and the record of one that was sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from libs.values.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A composed mail to one recipient. `trace_id`: of the work that it comes from; None in a preview."""

    kind: str
    recipient: str
    subject: str
    text: str
    html: str
    message_id: str
    order_id: str | None
    trace_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMail:
    """The record of a mail that the SMTP server took, by the id of the event that asked for it.

    `outcome`: `suppressed` when it was not sent. `counted_for`: whose limit of mails it counts for.
    """

    event_id: str
    kind: str
    order_id: str | None
    sent_at: datetime
    outcome: Literal["sent", "suppressed"] = "sent"
    counted_for: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """A line of an order as its mail shows it."""

    name: str
    quantity: int
    unit_price: Money
    line_total: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """A line of a rejected order whose product is short. `available`: pieces. `withdrawn`: it is no longer sold."""

    name: str
    wanted: int
    available: int
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """A line of a rejected order whose product has another price. `price` is the present one."""

    name: str
    ordered_at: Money
    price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderContent:
    """What the mails about an order are made of. `reason`: the code of why it was rejected or cancelled."""

    order_id: str
    username: str
    total: Money
    lines: tuple[OrderLine, ...]
    reason: str | None = None
    shortages: tuple[Shortage, ...] = ()
    price_changes: tuple[PriceChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkContent:
    """What the mails with a link are made of. The link holds a single-use token that ends at `expires_at`."""

    username: str
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountContent:
    """What the welcome mail and the test mail are made of."""

    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeContent:
    """What the notice of a change of an account is made of."""

    username: str
    occurred_at: datetime


MailContent = OrderContent | LinkContent | AccountContent | NoticeContent
