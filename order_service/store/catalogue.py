"""The replica of the catalogue: prices for orders while product_service is unavailable."""

from collections.abc import Collection
from datetime import UTC
from typing import Any

from django.db import connection

from libs.django_store.statements import fetch_all
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
ACTIVE = """
SELECT product_id, name, price, currency, version, updated_at FROM catalogue_products WHERE product_id IN %s AND active
"""


def find_active(product_ids: Collection[str]) -> dict[str, CatalogueProduct]:
    """The products on sale among these, by id."""
    return {row[0]: _product(row) for row in fetch_all(ACTIVE, [tuple(product_ids)])}


def upsert_product(product: CatalogueProduct) -> None:
    """Insert or update a product, unless the replica has a newer version."""
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, _columns(product))


def is_loaded() -> bool:
    """True once the catalogue was read to the end that it had at the first start of a worker."""
    return models.CatalogueState.objects.filter(ready_at__isnull=False).exists()


def _product(row: tuple[Any, ...]) -> CatalogueProduct:
    product_id, name, price, currency, version, updated_at = row
    return CatalogueProduct(
        id=product_id,
        name=name,
        price=Money.from_decimal(price, currency),
        active=True,
        version=version,
        updated_at=updated_at.replace(tzinfo=UTC),
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
