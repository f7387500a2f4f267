"""Products about to run out, as product_service tells them."""

from dataclasses import dataclass

from django.http import HttpRequest


@dataclass(frozen=True)
class ProductRow:
    """A product and what is left of it."""

    id: str
    name: str
    stock: int


@dataclass(frozen=True)
class Away:
    """Nobody can tell, and why: in words."""

    words: str


def running_out(request: HttpRequest) -> list[ProductRow] | Away:
    """Those with little stock, the least first."""
    return Away("product_service is not asked yet")
