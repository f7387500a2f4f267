"""Reads, as plain dicts: what goes out is built here and nowhere else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from chassis.auth import Caller
from chassis.paging import Page, PageRequest, build_page
from messaging.envelope import rfc3339
from order_service.errors import UnknownOrder
from order_service.models import Order, OrderLine, RawOrder, first_id
from order_service.rows import LINE_COLUMNS, read_order, visible_to

COLUMNS = ("id", "status", "total", "currency", "shipping_address", "reason", "created_at", "updated_at")


@dataclass(frozen=True)
class Filters:
    """Which orders to list. Times are a half-open interval: created_after <= createdAt < created_before."""

    status: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    user_id: str | None = None
    search: str | None = None

    def condition(self) -> Q:
        """As SQL. An id holds its order's time, so that the primary key serves the interval too."""
        found = Q()
        if self.status:
            found &= Q(status=self.status)
        if self.created_after:
            found &= Q(id__gte=first_id(self.created_after))
        if self.created_before:
            found &= Q(id__lt=first_id(self.created_before))
        if self.user_id:
            found &= Q(user_id=self.user_id)
        if self.search:  # beginnings, which the indexes serve
            names = Q(user_email__istartswith=self.search) | Q(username__istartswith=self.search)
            found &= names | Q(id__istartswith=self.search.upper())
        return found


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


def list_orders(caller: Caller, request: PageRequest, filters: Filters) -> Page:
    """Orders, newest first: the caller's own, or all for those who work here. Two queries."""
    found = Order.objects.filter(filters.condition(), **visible_to(caller))
    if request.position:
        found = found.filter(**{"id__gt" if request.backwards else "id__lt": request.position[0]})
    rows = list(found.order_by("id" if request.backwards else "-id").values(*COLUMNS)[: request.limit + 1])
    orders: dict[str, RawOrder] = {row["id"]: {**row, "lines": []} for row in rows}
    lines = OrderLine.objects.filter(order_id__in=orders).order_by("position") if orders else OrderLine.objects.none()
    for line in lines.values("order_id", *LINE_COLUMNS):
        orders[line["order_id"]]["lines"].append(line)
    return build_page(request, [to_public(order) for order in orders.values()], lambda order: (order["id"],))
