"""An operator publishes every product again, for consumers that lost events.

The version stays, so a consumer applies a snapshot that is not older than its own. After an older copy of the database was
restored, consumers have newer versions than the copy. Then the versions rise above all that were ever given.
"""

from datetime import UTC, datetime

from libs.values.times import now
from product_service.events.published import ProductUpdated
from product_service.store import products

BATCH_SIZE = 100  # products per transaction: it stays within its time limit and holds up few writers
FLOOR_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
FLOORS_PER_MINUTE = 100  # a product has fewer changes a minute, on average of its life; 2^31 is reached in 40 years


def republish_products(*, currency: str, floor: int = 0) -> int:
    """Store a product-updated event for each product, inactive ones too; return their number.

    `floor`: each version and event number rises to it at least, and by one; 0: they stay.
    """
    count, last = 0, None
    while ids := products.find_ids(after=last, limit=BATCH_SIZE):
        if floor:
            products.raise_versions(ids, floor)
        products.add_event(ids, ProductUpdated, currency=currency)
        count, last = count + len(ids), ids[-1]
    return count


def version_floor() -> int:
    """A version above all that were given until now."""
    return int((now() - FLOOR_EPOCH).total_seconds() / 60 * FLOORS_PER_MINUTE)
