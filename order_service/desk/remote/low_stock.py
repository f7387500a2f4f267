"""Products with low stock, for the overview. product_service has them: the replica of the catalogue holds no stock."""

from django.http import HttpRequest

from order_service.desk.remote.client import PRODUCTS, RemoteModel, RemoteRefusal, RemoteUnavailable, call_service

LOW_STOCK = 10  # pieces
MAX_PRODUCTS = 10


class LowStockProduct(RemoteModel):
    """A product on sale with few pieces left."""

    id: str
    name: str
    sku: str | None
    stock: int


class LowStockPage(RemoteModel):
    """A page of GET /products."""

    results: tuple[LowStockProduct, ...]


def find_low_stock(request: HttpRequest) -> tuple[LowStockProduct, ...] | RemoteUnavailable:
    """At most MAX_PRODUCTS products on sale with at most LOW_STOCK pieces, the smallest stock first. Raises LoginEnded."""
    query = {"sort": "stock", "maxStock": str(LOW_STOCK), "limit": str(MAX_PRODUCTS)}
    page = call_service(request, PRODUCTS, "GET", "/products", LowStockPage, query=query)
    if isinstance(page, RemoteRefusal):
        return RemoteUnavailable(page.text)
    return page if isinstance(page, RemoteUnavailable) else page.results
