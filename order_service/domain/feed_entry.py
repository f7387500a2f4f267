"""An entry in the feed of changes."""

from dataclasses import dataclass
from datetime import datetime

from order_service.domain.order import Order
from order_service.domain.order_status import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """A change of an order's status, with its number in the feed, and the order as it is now."""

    number: int
    at: datetime
    before: Status | None
    after: Status
    order: Order
