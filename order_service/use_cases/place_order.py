"""Place an order at the prices of the catalogue."""

from collections.abc import Sequence

from libs.access.caller import Caller
from libs.values.times import now
from order_service.domain.actor import Actor
from order_service.domain.order import Customer, Order, ShippingAddress
from order_service.domain.pricing import RequestedItem, price_lines
from order_service.events.published import OrderPlaced
from order_service.store import catalogue, orders


def place_order(*, caller: Caller, items: Sequence[RequestedItem], shipping_address: ShippingAddress | None) -> Order:
    """Place an order at catalogue prices. Raises UnknownProduct, PriceChanged, MixedCurrencies, TotalTooLarge."""
    products = catalogue.find_active({item.product_id for item in items})
    order = Order.place(
        customer=Customer(user_id=caller.user_id, email=caller.email, username=caller.username),
        lines=price_lines(items, products),
        shipping_address=shipping_address,
        at=now(),
    )
    return orders.add(order, OrderPlaced.of(order), actor=Actor.customer(caller.user_id))
