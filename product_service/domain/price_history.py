"""The earlier prices of a product, and until when an order may name one of them.

order_service prices orders from a replica of the catalogue, which may be behind. The reservation checks each price again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.values.money import Money

PRICE_AGE = timedelta(minutes=10)  # how far the replica may be behind


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierPrice:
    """A price that ended at `until`."""

    price: Money
    until: datetime

    def was_shown(self, at: datetime) -> bool:
        """Whether a replica that is behind may have shown this price at that time."""
        return self.until >= at - PRICE_AGE


PriceHistory = tuple[EarlierPrice, ...]
"""Oldest first."""


def price_memory(order_pending_limit: int) -> timedelta:
    """How long an earlier price is kept: an order may arrive `order_pending_limit` seconds after it was placed."""
    return PRICE_AGE + timedelta(seconds=order_pending_limit)


def end_price(history: PriceHistory, price: Money, *, at: datetime, memory: timedelta) -> PriceHistory:
    """The history after `price` ends at `at`. Prices that ended more than `memory` before are left out."""
    kept = (earlier for earlier in history if earlier.until >= at - memory)
    return (*kept, EarlierPrice(price=price, until=at))
