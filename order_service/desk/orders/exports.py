"""Orders and their lines as CSV or XLSX: the orders that the list shows, at most MAX_EXPORTED. Times are in the shop's time zone.

Names and addresses come from customers. A spreadsheet evaluates a cell of a CSV file that begins like a formula. Such a cell gets
an apostrophe in front (OWASP, CSV injection). A workbook names the type of each cell, so its text is what was typed. Characters
that text may not have are replaced in both: XML, and so XLSX, knows no form of some of them.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from import_export import fields, resources
from import_export.formats.base_formats import CSV, XLSX
from import_export.widgets import Widget
from tablib import Dataset
from unfold.contrib.import_export.forms import ExportForm

from libs.values.text import clean
from libs.values.times import now
from order_service.desk.orders.workbook import write_workbook
from order_service.desk.zone import shop_zone
from order_service.queries.order_search import TOO_MANY_MATCHES, find_orders
from order_service.store.models import Order, OrderLine

MAX_EXPORTED = 10_000  # orders in a file; a web process builds it in memory
CHUNK = 1000  # orders in a query, which may take 2 s
# Where a cell begins: at the start of the text, and after a separator of other locales. White space and quotes are skipped.
# Spreadsheets for East Asian languages evaluate full-width signs. Some programs take | and % at the beginning for a command.
FORMULA = re.compile(r"(^|[;\t])(?=[\s\"]*[=+\-@|%\uff1d\uff0b\uff0d\uff20\uff5c\uff05\ufe66\ufe62\ufe63\ufe6b\ufe6a])")
BYTE_ORDER_MARK = "\ufeff"  # Excel reads a CSV file without it in the encoding of its country
LINES = "1"  # the number of LineResource in the form
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
        safe = Dataset(*([_csv_value(value) for value in row] for row in dataset), headers=dataset.headers)
        return f"{BYTE_ORDER_MARK}{super().export_data(safe, **options)}"


class TypedXlsx(XLSX):
    """XLSX whose cells have types."""

    def export_data(self, dataset: Any, **options: Any) -> bytes:
        """The file's bytes. The title of the dataset is that of the sheet."""
        return write_workbook(dataset.title, dataset.headers, dataset)


def _csv_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
    return value if isinstance(value, int | Decimal) else safe_text(value)


class Cell(Widget):
    """A cell as a value: a time in the shop's zone, a number, or text. The format of the file decides how it is written."""

    def render(self, value: Any, obj: Any = None, **options: Any) -> Any:
        """The value."""
        if isinstance(value, datetime):
            return value.astimezone(settings.SHOP_TIME_ZONE)
        return value if isinstance(value, int | Decimal) else clean("" if value is None else str(value))


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

    def get_export_headers(self, selected_fields: Any = None) -> list[str]:
        """The titles of the columns. Those of times name the zone."""
        return [title.format(zone=shop_zone()) for title in super().get_export_headers(selected_fields)]

    def after_export(self, queryset: Any, dataset: Any, **options: Any) -> None:
        """Name the sheet of a workbook."""
        dataset.title = self.Meta.name

    def rows(self, ids: list[str]) -> QuerySet[Any]:
        """The rows of a chunk of orders."""
        return Order.objects.filter(id__in=ids).order_by("-id")


class OrderResource(Chunked):
    """One row for each order."""

    id = _column("id", "order")
    placed = _column("created_at", "placed ({zone})")
    status = _column("status", "status")
    changed = _column("updated_at", "changed ({zone})")
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
        return clean(", ".join([*parts[:-1], *(part.upper() for part in parts[-1:])]))  # the country comes last


class LineResource(Chunked):
    """One row for each line of each order."""

    order = _column("order_id", "order")
    placed = _column("order__created_at", "placed ({zone})")
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
    export_template_name = "desk/export.html"
    export_form_class = ExportForm

    def get_export_formats(self) -> list[Any]:
        """CSV and XLSX."""
        return [CsvWithMark, TypedXlsx]

    def get_export_filename(self, request: HttpRequest, queryset: Any, file_format: Any) -> str:
        """What the file holds, and the time to the millisecond in the shop's zone: two files of a day have different names."""
        lines = request.POST.get("resource") == LINES
        moment = timezone.localtime(now(), settings.SHOP_TIME_ZONE)
        time = f"{moment:%Y-%m-%d-%H%M%S}-{moment.microsecond // 1000:03}"
        return f"{'order-lines' if lines else 'orders'}-{time}.{file_format.get_extension()}"

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
