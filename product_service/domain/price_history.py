"""The earlier prices of products, and until when an order may name one of them.

order_service prices orders from a replica of the catalogue, which may be behind. The reservation checks each price again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from libs.values.money import Money

PRICE_AGE = timedelta(minutes=10)  # how far the replica may be behind
# How late an order may arrive: one that is pending for a week at most, and after that waits in its topic for a week at most.
PRICE_RETENTION = timedelta(days=14)

NamedPrice = tuple[str, Money]
"""The id of a product, and a price that an order names for it."""
PriceEnds = Mapping[NamedPrice, datetime]
"""When a product had a price that it no longer has, for the last time."""


def was_shown(until: datetime, at: datetime) -> bool:
    """Whether a replica that is behind may have shown, at `at`, a price that ended at `until`."""
    return until >= at - PRICE_AGE
