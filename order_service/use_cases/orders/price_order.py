"""Price the lines of an order: by the replica of the catalogue, and by product_service where the order differs from it."""

from collections.abc import Callable, Collection, Mapping, Sequence

from order_service.domain.errors import PriceChanged, UnknownProduct
from order_service.domain.order import OrderLine
from order_service.domain.pricing import CatalogueProduct, RequestedItem, newest, price_lines, products_in_doubt
from order_service.store import catalogue

ReadOffers = Callable[[Collection[str]], Mapping[str, CatalogueProduct] | None]
"""What is on sale now of these products, by id. None: product_service gave no answer."""


OUT_OF_DATE = "The catalogue could not be asked, so this may be out of date. Try again soon"


def price_order(items: Sequence[RequestedItem], read_offers: ReadOffers) -> list[OrderLine]:
    """The lines of an order. `read_offers` is called once when the order differs from the replica, else not at all.

    Raises UnknownProduct, PriceChanged, MixedCurrencies, TotalTooLarge. The first two say `stale` when product_service gave no
    answer: then the replica may be out of date.
    """
    known = catalogue.find_active({item.product_id for item in items})
    in_doubt = products_in_doubt(items, known)
    if not in_doubt:
        return price_lines(items, known)
    offers = read_offers(in_doubt)
    if offers is not None:
        return price_lines(items, newest(known, offers, in_doubt))
    try:
        return price_lines(items, known)
    except (UnknownProduct, PriceChanged) as refusal:
        raise type(refusal)(OUT_OF_DATE, **refusal.extra, stale=True) from None
