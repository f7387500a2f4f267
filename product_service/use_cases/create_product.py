"""Staff add a product to the catalogue."""

from bson import ObjectId
from pymongo.client_session import ClientSession

from libs.values.money import Money
from libs.values.times import now
from product_service.domain.product import Product
from product_service.events.published import ProductCreated
from product_service.store import products


def create_product(
    *,
    name: str,
    price: Money,
    stock: int,
    description: str = "",
    sku: str | None = None,
    category: str | None = None,
    image_url: str | None = None,
    actor: str,
    transaction: ClientSession | None = None,
) -> Product:
    """Add a product and return it. `actor`: the user who does it. `transaction`: the caller's, None for one of its own.

    Raises SkuTaken.
    """
    at = now()
    product = Product(
        id=str(ObjectId()),
        name=name,
        description=description,
        sku=sku,
        category=category,
        image_url=image_url,
        price=price,
        stock=stock,
        created_at=at,
        updated_at=at,
    )
    return products.add(product, ProductCreated, actor=actor, transaction=transaction)
