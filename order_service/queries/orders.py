"""Reads, as plain dicts: what goes out is built here and nowhere else."""

from typing import Any

from django.db.models import QuerySet

from libs.access.caller import Caller
from libs.values.pages import Page, PageRequest, build_page
from libs.values.times import rfc3339
from order_service.domain.errors import UnknownOrder
from order_service.store.models import Order, OrderLine, RawOrder
from order_service.store.orders import LINE_COLUMNS, read_order, visible_to

COLUMNS = ("id", "status", "total", "currency", "shipping_address", "reason", "created_at", "updated_at")


def to_public(order: RawOrder) -> dict[str, Any]:
    """An order as clients see it."""
    lines = [
        {
            "productId": line["product_id"],
            "name": line["name"],
            "quantity": line["quantity"],
            "unitPrice": str(line["unit_price"]),
            "lineTotal": str(line["line_total"]),
        }
        for line in order["lines"]
    ]
    public = {
        "id": order["id"],
        "status": str(order["status"]),
        "items": lines,
        "productId": lines[0]["productId"],
        "quantity": lines[0]["quantity"],
        "total": str(order["total"]),
        "currency": order["currency"],
        "createdAt": rfc3339(order["created_at"]),
        "updatedAt": rfc3339(order["updated_at"]),
    }
    optional = {"shippingAddress": order["shipping_address"], "reason": order["reason"]}
    return public | {name: value for name, value in optional.items() if value is not None}


def to_placed(order: RawOrder) -> dict[str, Any]:
    """The answer to the customer who placed it."""
    return {"status": "success", "message": "Order placed", "orderId": order["id"], "order": to_public(order)}


def get_order(caller: Caller, order_id: str) -> dict[str, Any]:
    """One order. Raises UnknownOrder, also for somebody else's."""
    if not (order := read_order(order_id, caller)):
        raise UnknownOrder
    return to_public(order)


def orders_of(caller: Caller) -> QuerySet[Order]:
    """The caller's own orders, or all for those who work here, to be narrowed down and listed."""
    return Order.objects.filter(**visible_to(caller))


def list_orders(found: QuerySet[Order], request: PageRequest) -> Page[dict[str, Any]]:
    """A page of the orders found, by the time of ordering: the newest or the oldest first. Two queries."""
    ascending = (request.sort == "oldest") != request.backwards
    if request.position:
        found = found.filter(**{"id__gt" if ascending else "id__lt": request.position[0]})
    rows = list(found.order_by("id" if ascending else "-id").values(*COLUMNS)[: request.limit + 1])
    orders: dict[str, RawOrder] = {row["id"]: {**row, "lines": []} for row in rows}
    lines = OrderLine.objects.filter(order_id__in=orders).order_by("position") if orders else OrderLine.objects.none()
    for line in lines.values("order_id", *LINE_COLUMNS):
        orders[line["order_id"]]["lines"].append(line)
    return build_page(request, [to_public(order) for order in orders.values()], lambda order: (order["id"],))
