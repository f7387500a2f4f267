"""An operator publishes every product again, for consumers that lost events.

The version stays, so a consumer applies a snapshot that is not older than its own.
"""

from product_service.events.published import ProductUpdated
from product_service.store import products

BATCH_SIZE = 100  # products per transaction: it stays within its time limit and holds up few writers


def republish_products(*, currency: str) -> int:
    """Store a product-updated event for each product, inactive ones too; return their number."""
    count, last = 0, None
    while ids := products.find_ids(after=last, limit=BATCH_SIZE):
        products.add_event(ids, ProductUpdated, currency=currency)
        count, last = count + len(ids), ids[-1]
    return count
