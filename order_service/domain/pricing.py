"""The prices of an order: catalogue products in, order lines out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from libs.values.money import Money
from order_service.domain.errors import MixedCurrencies, PriceChanged, TotalTooLarge, UnknownProduct
from order_service.domain.order import OrderLine

MAX_TOTAL = 999_999_999_999  # minor units: DECIMAL(12,2)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueProduct:
    """A product in the replica of the catalogue. `version` is the product's event counter in product_service."""

    id: str
    name: str
    price: Money
    active: bool
    version: int
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedItem:
    """A product that a customer orders. `price` is the price the client displayed, in minor units, if it sent one."""

    product_id: str
    quantity: int
    price: int | None = None


FLOOR_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
FLOORS_PER_MINUTE = 100


def floor_time(floor: int) -> datetime:
    """When product_service made this floor of versions: it is 100 times the minutes since 2026-01-01."""
    return FLOOR_EPOCH + timedelta(minutes=floor / FLOORS_PER_MINUTE)


def products_in_doubt(items: Sequence[RequestedItem], products: Mapping[str, CatalogueProduct]) -> set[str]:
    """The ids of products that are not in the replica, or whose price there differs from the one the client displayed."""
    return {
        item.product_id
        for item in items
        if (product := products.get(item.product_id)) is None or item.price not in (None, product.price.minor)
    }


def newest(
    products: Mapping[str, CatalogueProduct], offers: Mapping[str, CatalogueProduct], asked: Collection[str]
) -> dict[str, CatalogueProduct]:
    """The products on sale: those of the replica, with the newer version of those that were asked for.

    A product that was asked for and is not offered is no longer sold: the answer is newer than the replica.
    """
    found = {key: product for key, product in products.items() if key not in asked}
    for key, offer in offers.items():
        known = products.get(key)
        found[key] = known if known and known.version > offer.version else offer
    return found


def price_lines(items: Sequence[RequestedItem], products: Mapping[str, CatalogueProduct]) -> list[OrderLine]:
    """The lines of an order of `items` at the prices of `products`, which are the active ones among them, by id.

    Raises UnknownProduct, PriceChanged, MixedCurrencies, TotalTooLarge.
    """
    if unknown := [item.product_id for item in items if item.product_id not in products]:
        raise UnknownProduct(products=unknown)
    prices = {item.product_id: products[item.product_id].price for item in items}
    if changed := [item.product_id for item in items if item.price not in (None, prices[item.product_id].minor)]:
        raise PriceChanged(prices=[{"productId": key, "price": str(prices[key])} for key in changed])
    if len({price.currency for price in prices.values()}) > 1:
        raise MixedCurrencies
    lines = [_line(item, products[item.product_id]) for item in items]
    if sum(line.total.minor for line in lines) > MAX_TOTAL:
        raise TotalTooLarge
    return lines


def _line(item: RequestedItem, product: CatalogueProduct) -> OrderLine:
    return OrderLine(
        product_id=product.id,
        name=product.name,
        quantity=item.quantity,
        unit_price=product.price,
        product_version=product.version,
    )
