"""Products in MongoDB."""

from datetime import timedelta

from libs.values.times import now
from product_service.store.documents import products


def forget_prices(memory: timedelta) -> int:
    """Drop what is older than `memory` from every price log; return the number of products."""
    old = {"until": {"$lt": now() - memory}}
    which = {"price_log.until": {"$lt": now() - memory}}
    return int(products().update_many(which, {"$pull": {"price_log": old}}).modified_count)
