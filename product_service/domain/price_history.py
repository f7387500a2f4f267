"""Which prices an order may name: the present one, or one that was the price shortly before it was placed.

order_service prices orders from a replica of the catalogue, which may be a moment behind; this is the second check.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from libs.values.times import now
from product_service.store.documents import RawProduct

PRICE_AGE = timedelta(minutes=10)  # how far the replica may be behind


def price_memory(order_pending_limit: int) -> timedelta:
    """How long an earlier price is kept, for an order may reach us `order_pending_limit` seconds after it was placed."""
    return PRICE_AGE + timedelta(seconds=order_pending_limit)


def was_price(product: Mapping[str, Any], price_minor: int, placed_at: datetime) -> bool:
    """Whether an order of that moment may name this price."""
    log = product.get("price_log", ())
    return price_minor == product["price_minor"] or any(
        entry["price_minor"] == price_minor and entry["until"] >= placed_at - PRICE_AGE for entry in log
    )


def log_price(product: Mapping[str, Any], memory: timedelta) -> list[RawProduct]:
    """The product's price log as it is when its price changes now: the present price ends, old ones are forgotten."""
    moment = now()
    kept = [entry for entry in product.get("price_log", ()) if entry["until"] >= moment - memory]
    return [*kept, {"price_minor": product["price_minor"], "until": moment}]
