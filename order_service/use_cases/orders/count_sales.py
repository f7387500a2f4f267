"""Keep the sales figures of the desk up to date."""

from libs.values.times import now
from order_service.store import sales


def count_sales() -> int:
    """Count what has changed. Returns how much was read, see `sales.count_changes`."""
    return sales.count_changes(now())
