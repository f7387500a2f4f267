"""Orders and their lines as CSV or XLSX: the orders that the list shows, at most MAX_EXPORTED.

Names and addresses come from customers. A spreadsheet evaluates a cell that begins like a formula. Such a cell gets an apostrophe
in front (OWASP, CSV injection). Characters that text may not have are replaced: XML, and so XLSX, knows no form of some of them.
"""

import re
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

from libs.values.text import clean
from order_service.queries.order_search import TOO_MANY_MATCHES, find_orders
from order_service.store.models import Order, OrderLine

MAX_EXPORTED = 10_000  # orders in a file; a web process builds it in memory
CHUNK = 1000  # orders in a query, which may take 2 s
# Where a cell begins: at the start of the text, and after a separator of other locales. White space and quotes are skipped.
# Spreadsheets for East Asian languages evaluate full-width signs.
FORMULA = re.compile(r"(^|[;\t])(?=[\s\"]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])")
BYTE_ORDER_MARK = "\ufeff"  # Excel reads a CSV file without it in the encoding of its country
ADDRESS = ("name", "line1", "line2", "city", "postalCode", "country")


def escape_formula(value: str) -> str:
    """The value of a cell, with an apostrophe in front of each part that begins like a formula."""
    return FORMULA.sub(r"\1'", value)


def safe_text(value: object) -> str:
    """The text of a cell, for every format and every spreadsheet."""
    return escape_formula(clean("" if value is None else str(value)))


class CsvWithMark(CSV):
    """CSV in UTF-8 that begins with a byte order mark."""

    def export_data(self, dataset: Any, **options: Any) -> str:
        """The file's text."""
        return f"{BYTE_ORDER_MARK}{super().export_data(dataset, **options)}"


class Cell(Widget):
    """A cell. A number stays a number in formats that have numbers."""

    def render(self, value: Any, obj: Any = None, **options: Any) -> Any:
        """The value for CSV and XLSX. XLSX has no time zones."""
        if hasattr(value, "isoformat"):
            return value.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
        return value if isinstance(value, int | Decimal) else safe_text(value)


def _column(attribute: str, title: str) -> fields.Field:
    return fields.Field(attribute=attribute, column_name=title, widget=Cell())


class Chunked(resources.ModelResource):
    """A resource that reads orders in chunks, by their ids."""

    def iter_queryset(self, queryset: QuerySet[Order]) -> Iterator[Any]:
        """The rows of all chunks, the newest order first."""
        last: dict[str, str] = {}
        while ids := list(queryset.filter(**last).order_by("-id").values_list("id", flat=True)[:CHUNK]):
            yield from self.rows(ids)
            last = {"id__lt": ids[-1]}

    def rows(self, ids: list[str]) -> QuerySet[Any]:
        """The rows of a chunk of orders."""
        return Order.objects.filter(id__in=ids).order_by("-id")


class OrderResource(Chunked):
    """One row for each order."""

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

    def dehydrate_address(self, order: Order) -> str:
        """The address in one cell, its parts as on a letter."""
        address = order.shipping_address or {}
        parts = [str(address[part]) for part in ADDRESS if address.get(part)]
        return safe_text(", ".join([*parts[:-1], *(part.upper() for part in parts[-1:])]))  # the country comes last


class LineResource(Chunked):
    """One row for each line of each order."""

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
        """The lines of a chunk, each with columns of its order."""
        of_order = ("order__created_at", "order__status", "order__currency")
        lines = OrderLine.objects.filter(order_id__in=ids).select_related("order")
        own = ("position", "product_id", "name", "quantity", "unit_price", "line_total", "product_version")
        return lines.only("order_id", *own, *of_order).order_by("-order_id", "position")


class Exports:
    """The export of the list of orders, for import_export's ExportMixin."""

    resource_classes = [OrderResource, LineResource]
    export_form_class = ExportForm

    def get_export_formats(self) -> list[Any]:
        """CSV and XLSX."""
        return [CsvWithMark, XLSX]

    def has_export_permission(self, request: HttpRequest) -> bool:
        """True for staff. A file holds the addresses of many customers, so viewers may not export."""
        return bool(request.user.has_perm("orders.change_order"))

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """The form, then the file. Redirects to the list, with a message, when the export is refused."""
        if self.has_export_permission(request) and (text := self._refusal(request)):
            messages.error(request, text)
            orders = reverse("admin:orders_order_changelist")
            return HttpResponseRedirect(f"{orders}?{request.GET.urlencode()}")
        response: HttpResponse = super().export_action(request)  # type: ignore[misc]
        return response

    def _refusal(self, request: HttpRequest) -> str:
        """Why the export is refused, or "" when it is not."""
        try:
            orders = self.get_export_queryset(request)  # type: ignore[attr-defined]
        except IncorrectLookupParameters:
            return "The address of the list is invalid."
        if orders.order_by("-id").values_list("id", flat=True)[MAX_EXPORTED : MAX_EXPORTED + 1]:
            return f"An export holds at most {MAX_EXPORTED:,} orders, and the list has more. Choose a status, a day or a month."
        if (term := request.GET.get("q", "").strip()) and find_orders(term).is_cut:
            return TOO_MANY_MATCHES
        return ""
