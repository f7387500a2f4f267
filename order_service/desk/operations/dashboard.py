"""The overview, the desk's first page: what staff have to act on, sales, and the status of events and services."""

from collections.abc import Sequence
from decimal import Decimal

import orjson
from django.conf import settings
from django.http import HttpRequest

from order_service.desk.model_admin import Context
from order_service.desk.operations import service_status
from order_service.desk.remote import low_stock
from order_service.desk.remote.client import RemoteUnavailable
from order_service.queries import figures
from order_service.queries.figures import DaySales

BLUE, GREEN = "var(--color-primary-600)", "var(--desk-green)"
TICKS = 8


def dashboard_context(request: HttpRequest, context: Context) -> Context:
    """The page's data, for accounts that may see orders."""
    if not request.user.has_perm("orders.view_order"):
        return context
    sales = figures.sales(settings.SHOP_TIME_ZONE)
    products = low_stock.find_low_stock(request)
    highest = max(sales.statuses.values()) or 1
    return context | {
        "long_pending": figures.long_pending_orders(),
        "open_orders": figures.open_orders(),
        "outbox": figures.outbox_backlog(),
        "dead_events": figures.dead_events(),
        "sales": sales,
        "orders_total": sum(sales.statuses.values()),
        "orders_chart": _chart("Orders", BLUE, sales.days, [day.orders for day in sales.days]),
        "revenue_chart": _chart(f"Revenue, {sales.currency}", GREEN, sales.days, [day.revenue for day in sales.days]),
        "statuses": [(status, count, round(100 * count / highest)) for status, count in sales.statuses.items()],
        "services": service_status.read_states(),
        "products": () if isinstance(products, RemoteUnavailable) else products,
        "products_unavailable": products.text if isinstance(products, RemoteUnavailable) else "",
    }


def _chart(label: str, colour: str, days: Sequence[DaySales], values: Sequence[int | Decimal]) -> str:
    """The data of one of unfold's bar charts, as JSON."""
    bars = {
        "label": label,
        "backgroundColor": colour,
        "data": [float(value) for value in values],  # for drawing; the table beside the chart has the exact figures
        "displayYAxis": True,
        "maxTicksXLimit": TICKS,
        "maxBarThickness": 16,
        "borderRadius": 3,
    }
    return orjson.dumps({"labels": [f"{day.date:%-d %b}" for day in days], "datasets": [bars]}).decode()
