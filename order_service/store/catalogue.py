"""The replica of the catalogue: prices for orders while product_service is unavailable."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from libs.values.money import Money
from order_service.domain.pricing import CatalogueProduct
from order_service.store import models

# One statement, so that two consumers can't overtake each other: a row stays unless the event's version is as new. An event of
# the same version is applied again, because product_service republishes its products. The version comes last: MySQL assigns
# from left to right.
UPSERT = """
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


def find_active(product_ids: Collection[str]) -> dict[str, CatalogueProduct]:
    """The products on sale among these, by id."""
    rows = models.CatalogueProduct.objects.filter(product_id__in=product_ids, active=True)
    return {row.product_id: _product(row) for row in rows}


def upsert_product(product: CatalogueProduct) -> None:
    """Insert or update a product, unless the replica has a newer version."""
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, _columns(product))


def retire(version: int, *, before: datetime) -> int:
    """Make the products inactive whose version is lower, and that have not changed since `before`. Return their number."""
    old = models.CatalogueProduct.objects.filter(version__lt=version, updated_at__lt=before, active=True)
    return old.update(active=False)


def is_loaded() -> bool:
    """True once the catalogue was read to the end that it had at the first start of a worker."""
    return models.CatalogueState.objects.filter(ready_at__isnull=False).exists()


def _product(row: models.CatalogueProduct) -> CatalogueProduct:
    return CatalogueProduct(
        id=row.product_id,
        name=row.name,
        price=Money.from_decimal(row.price, row.currency),
        active=row.active,
        version=row.version,
        updated_at=row.updated_at,
    )


def _columns(product: CatalogueProduct) -> dict[str, Any]:
    return {
        "id": product.id,
        "name": product.name,
        "price": product.price.decimal,
        "currency": product.price.currency,
        "active": product.active,
        "updated_at": product.updated_at.astimezone(UTC).replace(tzinfo=None),  # as the tables keep times
        "version": product.version,
    }
