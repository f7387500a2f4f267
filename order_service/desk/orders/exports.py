"""Orders and their lines as CSV or XLSX: what the list shows, up to MOST_EXPORTED orders.

Names and addresses are what customers typed. A spreadsheet takes a cell that begins like a formula for one, so such a cell gets an
apostrophe in front (OWASP, CSV injection).
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from import_export import fields, resources
from import_export.formats.base_formats import CSV, XLSX
from import_export.widgets import Widget
from unfold.contrib.import_export.forms import ExportForm

from order_service.queries.order_search import find_orders
from order_service.store.models import Order, OrderLine

MOST_EXPORTED = 10_000  # orders a file, which is built in the memory of a process that takes orders, too
CHUNK = 1000  # orders a query: each has two seconds
FORMULA = ("=", "+", "-", "@", "\t", "\r")
ADDRESS = ("name", "line1", "line2", "city", "postalCode", "country")


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet calculates."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


class Cell(Widget):
    """A value as it is: a number stays one where the format knows numbers."""

    def render(self, value: Any, obj: Any = None, **options: Any) -> Any:
        """For a file of text or for a workbook, which knows no time zones."""
        if hasattr(value, "isoformat"):
            return value.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
        return value if isinstance(value, int | Decimal) else harmless("" if value is None else str(value))


def _column(attribute: str, title: str) -> fields.Field:
    return fields.Field(attribute=attribute, column_name=title, widget=Cell())


class Chunked(resources.ModelResource):
    """A resource that reads orders in chunks, by their ids."""

    def iter_queryset(self, queryset: QuerySet[Order]) -> Iterator[Any]:
        """The rows of all chunks, newest order first."""
        last: dict[str, str] = {}
        while ids := list(queryset.filter(**last).order_by("-id").values_list("id", flat=True)[:CHUNK]):
            yield from self.rows(ids)
            last = {"id__lt": ids[-1]}

    def rows(self, ids: list[str]) -> QuerySet[Any]:
        """What a chunk of orders gives."""
        return Order.objects.filter(id__in=ids).order_by("-id")


class OrderResource(Chunked):
    """A row for each order."""

    id = _column("id", "order")
    placed = _column("created_at", "placed (UTC)")
    status = _column("status", "status")
    changed = _column("updated_at", "changed (UTC)")
    email = _column("user_email", "e-mail")
    username = _column("username", "username")
    total = _column("total", "total")
    currency = _column("currency", "currency")
    reason = _column("reason", "reason")
    address = fields.Field(column_name="address", widget=Cell())

    class Meta:
        name = "Orders"
        model = Order
        fields = ("id", "placed", "status", "changed", "email", "username", "total", "currency", "reason", "address")

    def dehydrate_address(self, order: Order) -> Any:
        """In one cell, its parts in the order of a letter."""
        address = order.shipping_address or {}
        return harmless(", ".join(str(address[part]) for part in ADDRESS if address.get(part)))


class LineResource(Chunked):
    """A row for each product of each order."""

    order = _column("order_id", "order")
    placed = _column("order__created_at", "placed (UTC)")
    status = _column("order__status", "status")
    position = _column("position", "line")
    product = _column("product_id", "product")
    name = _column("name", "name")
    quantity = _column("quantity", "quantity")
    price = _column("unit_price", "unit price")
    total = _column("line_total", "line total")
    currency = _column("order__currency", "currency")
    version = _column("product_version", "price version")

    class Meta:
        name = "Lines of orders"
        model = OrderLine
        fields = (
            *("order", "placed", "status", "position", "product", "name"),
            *("quantity", "price", "total", "currency", "version"),
        )

    def rows(self, ids: list[str]) -> QuerySet[Any]:
        """The lines, each with what is to be told of its order."""
        told = ("order__created_at", "order__status", "order__currency")
        lines = OrderLine.objects.filter(order_id__in=ids).select_related("order")
        own = ("position", "product_id", "name", "quantity", "unit_price", "line_total", "product_version")
        return lines.only("order_id", *own, *told).order_by("-order_id", "position")


class Exports:
    """What an admin with an export is told about it."""

    resource_classes = [OrderResource, LineResource]
    export_form_class = ExportForm

    def get_export_formats(self) -> list[Any]:
        """The two that every office has."""
        return [CSV, XLSX]

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Many customers' addresses in one file are for those who act on orders."""
        return bool(request.user.has_perm("orders.change_order"))

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """The form, and the file; or back to the list when it would be too large."""
        if self.has_export_permission(request) and (text := self._why_not(request)):
            messages.error(request, text)
            there = reverse("admin:orders_order_changelist")
            return HttpResponseRedirect(f"{there}?{request.GET.urlencode()}")
        answer: HttpResponse = super().export_action(request)  # type: ignore[misc]
        return answer

    def _why_not(self, request: HttpRequest) -> str:
        """What stands against a file of all that was asked for; empty when nothing does."""
        try:
            orders = self.get_export_queryset(request)  # type: ignore[attr-defined]
        except IncorrectLookupParameters:
            return "There is no such list."
        if orders.order_by("-id").values_list("id", flat=True)[MOST_EXPORTED : MOST_EXPORTED + 1]:
            return f"An export holds at most {MOST_EXPORTED:,} orders, and here are more. Choose a status, a day or a month first."
        if (term := request.GET.get("q", "").strip()) and find_orders(term).is_cut:
            return "More orders begin like that than a file would hold: please type more of it."
        return ""
