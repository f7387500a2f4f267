"""Staff add pieces to the stock of a product, or take some."""

from pymongo.client_session import ClientSession

from libs.values.times import now
from product_service.domain.errors import StockOutOfRange
from product_service.domain.product import Product, StockMovement
from product_service.store import products


def adjust_stock(
    *, product_id: str, delta: int, reason: str, currency: str, actor: str, transaction: ClientSession | None = None
) -> Product:
    """Add `delta` pieces, or take them when it is negative; return the product.

    `transaction`: the caller's, None for one of its own. Raises UnknownProduct, StockOutOfRange.
    """
    movement = StockMovement(product_id=product_id, delta=delta, reason=reason, actor=actor, at=now())
    changed = products.adjust(movement, currency=currency, transaction=transaction)
    if changed is None:
        products.find(product_id, currency=currency)
        raise StockOutOfRange
    return changed
