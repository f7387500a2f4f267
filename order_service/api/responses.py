"""JSON out: the only place that makes the bodies of responses."""

from collections.abc import Sequence
from typing import Any

from libs.values.money import format_money
from libs.values.pages import Page
from libs.values.times import rfc3339
from order_service.domain.feed_entry import FeedEntry
from order_service.domain.order import Order, OrderLine, ShippingAddress
from order_service.domain.rejection import Shortage


def to_public(order: Order) -> dict[str, Any]:
    """An order as clients see it. An absent address or reason is left out, and so are empty lists of shortages or prices."""
    public: dict[str, Any] = {
        "id": order.id,
        "status": order.status.value,
        "items": [_line(line) for line in order.lines],
        "productId": order.lines[0].product_id,
        "quantity": order.lines[0].quantity,
        "total": str(order.total),
        "currency": order.currency,
        "createdAt": rfc3339(order.created_at),
        "updatedAt": rfc3339(order.updated_at),
    }
    if order.shipping_address is not None:
        public["shippingAddress"] = _address(order.shipping_address)
    if order.reason is not None:
        public["reason"] = order.reason
    if order.shortages:
        public["shortages"] = [_shortage(order, short) for short in order.shortages]
    if order.prices:
        public["prices"] = [{"productId": row.product_id, "price": format_money(row.price)} for row in order.prices]
    return public


def to_placed(order: Order) -> dict[str, Any]:
    """The response to the customer who placed the order."""
    return {"status": "success", "message": "Order placed", "orderId": order.id, "order": to_public(order)}


def to_page(page: Page[Order], url: str) -> dict[str, Any]:
    """A page of orders, with links to the next and the previous one."""
    return page.render(url, to_public)


def to_changes(entries: Sequence[FeedEntry], link: str) -> dict[str, Any]:
    """A page of the feed of changes, with the link to what follows."""
    return {"next": link, "results": [_change(entry) for entry in entries]}


def _change(entry: FeedEntry) -> dict[str, Any]:
    return {
        "at": rfc3339(entry.at),
        "previousStatus": entry.before and entry.before.value,
        "status": entry.after.value,
        "order": to_public(entry.order),
    }


def _line(line: OrderLine) -> dict[str, Any]:
    return {
        "productId": line.product_id,
        "name": line.name,
        "quantity": line.quantity,
        "unitPrice": str(line.unit_price),
        "lineTotal": str(line.total),
    }


def _shortage(order: Order, short: Shortage) -> dict[str, Any]:
    return {
        "productId": short.product_id,
        "name": order.name_of(short.product_id),
        "wanted": short.wanted,
        "available": short.available,
        **({"reason": short.reason} if short.reason else {}),
    }


def _address(address: ShippingAddress) -> dict[str, Any]:
    """The lines that the address has."""
    lines = {
        "name": address.name,
        "line1": address.line1,
        "line2": address.line2,
        "city": address.city,
        "postalCode": address.postal_code,
        "country": address.country,
    }
    return {name: line for name, line in lines.items() if line is not None}
