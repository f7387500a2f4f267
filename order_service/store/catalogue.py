"""The replica of the catalogue: prices for orders, with product_service up or down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from typing import Any

from django.db import connection

from order_service.domain.errors import MixedCurrencies, PriceChanged, TotalTooLarge, UnknownProduct
from order_service.events.consumed import ProductSnapshot
from order_service.store.models import MAX_AMOUNT, CatalogueProduct, RawOrder

# One statement, so that two consumers can't pass each other: what is there stays unless the event is as new. As new is applied
# again, for products are sent again on purpose. The version comes last: MySQL assigns from left to right.
KEEP = """
INSERT INTO catalogue_products (product_id, name, price, currency, active, updated_at, version)
VALUES (%(id)s, %(name)s, %(price)s, %(currency)s, %(active)s, %(updated_at)s, %(version)s)
ON DUPLICATE KEY UPDATE
  name = IF(%(version)s >= version, %(name)s, name),
  price = IF(%(version)s >= version, %(price)s, price),
  currency = IF(%(version)s >= version, %(currency)s, currency),
  active = IF(%(version)s >= version, %(active)s, active),
  updated_at = IF(%(version)s >= version, %(updated_at)s, updated_at),
  version = GREATEST(%(version)s, version)
"""


@dataclass(frozen=True)
class Wanted:
    """What a customer wants of a product; `price_minor` is the price he was shown, in minor units, if he tells."""

    product_id: str
    quantity: int
    price_minor: int | None = None


def keep_product(product: ProductSnapshot) -> None:
    """Bring the replica up to `product`, unless it knows a newer version."""
    moment = product.updated_at.astimezone(UTC).replace(tzinfo=None)  # as the tables keep times
    values = product.model_dump() | {"updated_at": moment}
    with connection.cursor() as cursor:
        cursor.execute(KEEP, values)


def price_lines(wanted: Sequence[Wanted]) -> tuple[Decimal, str, list[RawOrder]]:
    """Total, currency and lines at the catalogue's prices.

    Raises UnknownProduct, PriceChanged, MixedCurrencies, TotalTooLarge.
    """
    rows = CatalogueProduct.objects.filter(product_id__in=[w.product_id for w in wanted], active=True)
    products = {row["product_id"]: row for row in rows.values("product_id", "name", "price", "currency", "version")}
    if unknown := [w.product_id for w in wanted if w.product_id not in products]:
        raise UnknownProduct(products=unknown)
    prices = {w.product_id: products[w.product_id]["price"] for w in wanted}
    if changed := [w.product_id for w in wanted if w.price_minor not in (None, prices[w.product_id] * 100)]:
        raise PriceChanged(prices=[{"productId": key, "price": str(prices[key])} for key in changed])
    currency, *others = {row["currency"] for row in products.values()}
    if others:
        raise MixedCurrencies
    total = sum((prices[w.product_id] * w.quantity for w in wanted), Decimal(0))
    if total > MAX_AMOUNT:
        raise TotalTooLarge
    return total, currency, [_line(w, products[w.product_id]) for w in wanted]


def _line(wanted: Wanted, product: Mapping[str, Any]) -> RawOrder:
    return {
        "product_id": wanted.product_id,
        "name": product["name"],
        "quantity": wanted.quantity,
        "unit_price": product["price"],
        "line_total": product["price"] * wanted.quantity,
        "product_version": product["version"],
    }
