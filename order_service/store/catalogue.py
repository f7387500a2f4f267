"""The replica of the catalogue: prices for orders while product_service is unavailable."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from libs.django_store.statements import fetch_all
from libs.values.money import Money
from order_service.domain.pricing import CatalogueProduct
from order_service.store import models

# One statement, so that two consumers can't overtake each other: a row stays unless the event's version is as new. An event of
# the same version is applied again, because product_service republishes its products. The version comes last: both servers assign
# from left to right. The rows are a derived table: MySQL warns at each VALUES(), and MariaDB knows no alias for the row.
UPSERT = """
INSERT INTO catalogue_products (product_id, name, price, currency, active, updated_at, version)
SELECT * FROM ({rows}) AS n
ON DUPLICATE KEY UPDATE {columns}, version = GREATEST(n.version, catalogue_products.version)
"""
COLUMNS = ("name", "price", "currency", "active", "updated_at")
NEW = {name: f"n.{name} COLLATE utf8mb4_bin" for name in ("name", "currency")}
"""Texts: the connection's collation may be another one than the column's, and two of them do not mix."""
UPDATED = ", ".join(
    f"{c} = IF(n.version >= catalogue_products.version, {NEW.get(c, f'n.{c}')}, catalogue_products.{c})"
    for c in COLUMNS
)
FIRST = f"SELECT %s AS product_id, {', '.join(f'%s AS {column}' for column in COLUMNS)}, %s AS version"
NEXT = "SELECT %s, " + ", ".join(["%s"] * len(COLUMNS)) + ", %s"
ACTIVE = """
SELECT product_id, name, price, currency, version, updated_at FROM catalogue_products WHERE product_id IN %s AND active
"""


def find_active(product_ids: Collection[str]) -> dict[str, CatalogueProduct]:
    """The products on sale among these, by id."""
    return {row[0]: _product(row) for row in fetch_all(ACTIVE, [tuple(product_ids)])}


def upsert_products(products: Iterable[CatalogueProduct]) -> None:
    """Insert or update products by one statement, unless the replica has a newer version. Of several of a product the last newest
    is taken. No statement for none.
    """
    newest: dict[str, CatalogueProduct] = {}
    for product in products:
        if (known := newest.get(product.id)) is None or product.version >= known.version:
            newest[product.id] = product
    if not newest:
        return
    rows = [_values(newest[product_id]) for product_id in sorted(newest)]
    statement = UPSERT.format(rows=" UNION ALL ".join([FIRST, *[NEXT] * (len(rows) - 1)]), columns=UPDATED)
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in row])


def retire(version: int, *, before: datetime) -> int:
    """Make the products inactive whose version is lower, and that have not changed since `before`. Return their number."""
    old = models.CatalogueProduct.objects.filter(version__lt=version, updated_at__lt=before, active=True)
    return old.update(active=False)


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


def _values(product: CatalogueProduct) -> tuple[str | Decimal | bool | datetime | int, ...]:
    """As FIRST and NEXT have them. The tables keep times without a zone."""
    at = product.updated_at.astimezone(UTC).replace(tzinfo=None)
    price = product.price
    return (product.id, product.name, price.decimal, price.currency, product.active, at, product.version)
