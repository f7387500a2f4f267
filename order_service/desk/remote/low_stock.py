"""Products, as the desk sees them. product_service has them; the catalogue's replica here knows no stock."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from order_service.desk.remote.client import PRODUCTS, Away, Refusal, ask

__all__ = ["LOW_STOCK", "Away", "Scarce", "running_out"]

LOW_STOCK = 10  # pieces
MOST = 10


@dataclass(frozen=True)
class Scarce:
    """A product that is on sale and about to run out."""

    id: str
    name: str
    sku: str | None
    stock: int


def running_out(request: HttpRequest, *, at_most: int = LOW_STOCK) -> list[Scarce] | Away:
    """Products on sale with `at_most` pieces left, the fewest first, MOST of them. Raises SessionOver."""
    query = {"sort": "stock", "maxStock": str(at_most), "limit": str(MOST)}
    answer = ask(request, PRODUCTS, "GET", "/products", query=query)
    if isinstance(answer, Refusal):
        return Away(answer.words)
    return answer if isinstance(answer, Away) else [_scarce(product) for product in answer["results"]]


def _scarce(product: dict[str, Any]) -> Scarce:
    return Scarce(product["id"], product["name"], product["sku"], product["stock"])
