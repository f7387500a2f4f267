"""The desk's first page: what needs somebody, how the shop sells, and how the machinery does."""

from typing import Any

import orjson
from django.http import HttpRequest

from order_service.desk.operations import service_status
from order_service.desk.remote import low_stock
from order_service.queries import figures

BLUE, GREEN = "var(--color-primary-600)", "var(--desk-green)"
TICKS = 8


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the page shows. Whoever may not see orders sees none of it."""
    if not request.user.has_perm("orders.view_order"):
        return context
    sales = figures.sales()
    running_out = low_stock.running_out(request)
    most = max(sales.statuses.values()) or 1
    return context | {
        "waiting": figures.waiting_orders(),
        "open_orders": figures.open_orders(),
        "outbox": figures.outbox_backlog(),
        "dead_events": figures.dead_events(),
        "sales": sales,
        "orders_total": sum(sales.statuses.values()),
        "orders_chart": _chart("Orders", BLUE, sales.days, "orders"),
        "revenue_chart": _chart(f"Revenue, {sales.currency}", GREEN, sales.days, "revenue"),
        "statuses": [(status, count, round(100 * count / most)) for status, count in sales.statuses.items()],
        "services": service_status.read_states(),
        "products": [] if isinstance(running_out, low_stock.Away) else running_out,
        "products_away": running_out.words if isinstance(running_out, low_stock.Away) else "",
    }


def _chart(label: str, colour: str, days: list[figures.DaySales], column: str) -> str:
    """The data of one of unfold's bar charts, as JSON."""
    bars = {
        "label": label,
        "backgroundColor": colour,
        "data": [float(getattr(day, column)) for day in days],  # to draw; the table beside it has the exact figures
        "displayYAxis": True,
        "maxTicksXLimit": TICKS,
        "maxBarThickness": 16,
        "borderRadius": 3,
    }
    return orjson.dumps({"labels": [f"{day.date:%-d %b}" for day in days], "datasets": [bars]}).decode()
