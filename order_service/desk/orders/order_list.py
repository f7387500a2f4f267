"""The list of orders, with search, filters, an export, and actions that set the status of many orders."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.html import format_html
from import_export.admin import ExportMixin
from unfold.decorators import display

from libs.access.caller import Caller
from order_service.desk.bulk_actions import BulkAction, admin_action
from order_service.desk.model_admin import MAX_COUNTED, Context, DeskAdmin
from order_service.desk.orders import order_page
from order_service.desk.orders.exports import Exports
from order_service.desk.orders.filters import (
    CustomerFilter,
    LongPendingFilter,
    PeriodFilter,
    period_and_status,
    read_period,
)
from order_service.desk.orders.periods import drill_down
from order_service.desk.zone import shop_zone
from order_service.domain.order_status import Status
from order_service.queries.order_ranges import count_orders
from order_service.queries.order_search import HELP, TOO_MANY_MATCHES, find_orders
from order_service.store.models import Order
from order_service.use_cases.orders.set_order_status import set_order_status

COLOURS = {
    Status.PENDING: "warning",
    Status.CONFIRMED: "info",
    Status.SHIPPED: "primary",
    Status.DELIVERED: "success",
    Status.REJECTED: "danger",
    Status.CANCELLED: "default",
}
MAIL = "Each customer gets a mail."


def _status_action(status: Status, verb: str, effect: str, *, is_danger: bool = False) -> BulkAction:
    def set_status(caller: Caller, order_id: str) -> str:
        result = set_order_status(caller=caller, order_id=order_id, status=status)
        return "" if result.is_changed else f"it was {status.value} before"

    return BulkAction(
        name=f"make_{status.value}",
        verb=verb,
        noun="order",
        done=status.value,
        effect=effect,
        field="id",
        apply=set_status,
        is_danger=is_danger,
    )


ACTIONS = (
    _status_action(Status.SHIPPED, "Ship", MAIL),
    _status_action(Status.DELIVERED, "Deliver", MAIL),
    _status_action(Status.CANCELLED, "Cancel", f"Stock takes the products back. {MAIL}", is_danger=True),
)
"""The statuses that staff set for many orders at once."""


@admin.register(Order)
class OrderAdmin(Exports, ExportMixin, DeskAdmin):
    """The list. order_page.py shows a single order."""

    list_display = ("number", "shown_status", "customer", "amount", "placed")
    list_filter = ("status", LongPendingFilter, PeriodFilter, CustomerFilter)
    search_fields = ("id",)  # switches the search field on; find_orders searches
    search_help_text = HELP
    ordering = ("-id",)
    sortable_by = ("number",)
    list_before_template = "desk/periods.html"
    actions = tuple(map(admin_action, ACTIONS))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """The columns of the list. Only an order's page shows the address and the lines."""
        return super().get_queryset(request).defer("shipping_address", "items")

    def get_paginator(self, request: HttpRequest, queryset: QuerySet[Order], *options: Any, **more: Any) -> Any:
        """Django's hook. The orders of a status in a period are counted with their index named."""
        paginator = super().get_paginator(request, queryset, *options, **more)
        if found := period_and_status(request.GET):
            paginator.count = count_orders(found, MAX_COUNTED)  # a property that is kept once it is read
        return paginator

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """The orders whose ids find_orders returns."""
        if not search_term.strip():
            return queryset, False
        matches = find_orders(search_term)
        if matches.is_cut:
            messages.warning(request, TOO_MANY_MATCHES)
        return queryset.filter(id__in=matches.ids), False

    def changelist_view(self, request: HttpRequest, extra_context: Context | None = None) -> HttpResponse:
        """The list, with links to years, months and days above it."""
        period = None
        with suppress(IncorrectLookupParameters):  # the list itself redirects
            period = read_period(request.GET.get(PeriodFilter.parameter_name))
        return super().changelist_view(
            request, {**(extra_context or {}), "drill_down": drill_down(period, settings.SHOP_TIME_ZONE)}
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Context | None = None
    ) -> HttpResponse:
        """The order's page. Its forms have addresses of their own."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return order_page.show_order(self, request, object_id)

    def get_urls(self) -> list[URLPattern]:
        """The addresses of the admin and of the page's forms."""
        forms = []
        for name, view in order_page.FORMS.items():
            bound = self.admin_site.admin_view(order_page.bind(view, self))
            forms.append(path(f"<str:order_id>/{name}/", bound, name=f"order_{name}"))
        return forms + super().get_urls()

    @admin.display(description="Order", ordering="id")
    def number(self, order: Order) -> str:
        """The order's id."""
        return order.id

    @admin.display(description=lazy(lambda: f"Placed ({shop_zone()})", str)())
    def placed(self, order: Order) -> str:
        """The time, to the minute."""
        return f"{timezone.localtime(order.created_at):%-d %b %Y, %H:%M}"

    @display(description="Status", label=dict(COLOURS))  # type: ignore[untyped-decorator]
    def shown_status(self, order: Order) -> tuple[str, str]:
        """The status, and the name that selects its colour."""
        return order.status, order.get_status_display()

    @admin.display(description="Customer")
    def customer(self, order: Order) -> str:
        """A link to all orders of the account."""
        orders = f"{reverse('admin:orders_order_changelist')}?user_id={order.user_id}"
        return format_html('<a class="desk-link" href="{}">{}</a>', orders, order.user_email or order.username)

    @admin.display(description="Total")
    def amount(self, order: Order) -> str:
        """The total with its currency."""
        return format_html('<span class="desk-amount">{} {}</span>', order.total, order.currency)
