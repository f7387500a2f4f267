"""JSON out: the only place that makes the bodies of responses."""

from typing import Any

from libs.values.pages import Page
from libs.values.times import rfc3339
from order_service.domain.order import Order, OrderLine, ShippingAddress


def to_public(order: Order) -> dict[str, Any]:
    """An order as clients see it. An absent address or reason is left out."""
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
    return public


def to_placed(order: Order) -> dict[str, Any]:
    """The response to the customer who placed the order."""
    return {"status": "success", "message": "Order placed", "orderId": order.id, "order": to_public(order)}


def to_page(page: Page[Order], url: str) -> dict[str, Any]:
    """A page of orders, with links to the next and the previous one."""
    return page.render(url, to_public)


def _line(line: OrderLine) -> dict[str, Any]:
    return {
        "productId": line.product_id,
        "name": line.name,
        "quantity": line.quantity,
        "unitPrice": str(line.unit_price),
        "lineTotal": str(line.total),
    }


def _address(address: ShippingAddress) -> dict[str, Any]:
    return {
        "name": address.name,
        "line1": address.line1,
        **({"line2": address.line2} if address.line2 is not None else {}),
        "city": address.city,
        "postalCode": address.postal_code,
        "country": address.country,
    }
