"""Take products off sale that product_service does not have: an older copy of its database was restored.

`republish --restored` gives each product of that copy a version that is higher than any before. What has a lower one is missing
there.
"""

from order_service.domain.pricing import floor_time
from order_service.store import catalogue


def retire_products(*, below: int) -> int:
    """Make the products inactive whose version is below `below`, and which are older than it. Return their number."""
    return catalogue.retire(below, before=floor_time(below))
