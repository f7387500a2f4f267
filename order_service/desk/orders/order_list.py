"""The list of orders: found by id, e-mail, name, product, status or day, and moved on by actions, many at once."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from import_export.admin import ExportMixin
from unfold.decorators import display

from libs.values.errors import DomainError
from order_service.api.authentication import desk_caller
from order_service.desk.model_admin import DeskAdmin, chosen_ids, words_of
from order_service.desk.orders import order_page
from order_service.desk.orders.exports import Exports
from order_service.desk.orders.filters import Customer, Placed, Waiting, read_period
from order_service.desk.orders.periods import drill
from order_service.domain.order_status import Status
from order_service.queries.order_search import HELP, find_orders
from order_service.store.models import Order
from order_service.use_cases.set_order_status import set_order_status

COLOURS = {
    Status.PENDING: "warning",
    Status.CONFIRMED: "info",
    Status.SHIPPED: "primary",
    Status.DELIVERED: "success",
    Status.REJECTED: "danger",
    Status.CANCELLED: "default",
}
VERBS = {Status.SHIPPED: "Ship", Status.DELIVERED: "Deliver", Status.CANCELLED: "Cancel"}
"""What staff may do, in the order in which they do it."""
Action = Callable[["OrderAdmin", HttpRequest, QuerySet[Order]], None]


def _move_action(status: Status) -> Action:
    @admin.action(description=f"{VERBS[status]} the selected orders", permissions=["act"])
    def move(_admin: "OrderAdmin", request: HttpRequest, chosen: QuerySet[Order]) -> None:
        caller = desk_caller(request.user)
        for order_id in chosen_ids(request, chosen, "id"):
            try:
                set_order_status(caller=caller, order_id=order_id, status=status)
            except DomainError as error:
                messages.error(request, f"Order {order_id}: {words_of(error)}. Nothing was changed.")
            else:
                messages.success(request, f"Order {order_id} is {status.value} now")

    move.__name__ = f"make_{status.value}"
    return move


@admin.register(Order)
class OrderAdmin(Exports, ExportMixin, DeskAdmin):
    """An order's own page is order_page.py's."""

    list_display = ("number", "shown_status", "customer", "amount", "placed")
    list_filter = ("status", Waiting, Placed, Customer)
    search_fields = ("id",)  # find_orders knows better
    search_help_text = HELP
    ordering = ("-id",)
    sortable_by = ("number",)
    list_before_template = "desk/days.html"
    actions = tuple(_move_action(status) for status in VERBS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """What the list shows; the address is the page's."""
        return super().get_queryset(request).defer("shipping_address")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """By the ids that the indexes know."""
        if not search_term.strip():
            return queryset, False
        found = find_orders(search_term)
        if found.is_cut:
            messages.warning(request, "More orders begin like that than are shown here: please type more of it.")
        return queryset.filter(id__in=found.ids), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way down to a day above it."""
        period = None
        with suppress(IncorrectLookupParameters):  # the list itself answers that
            period = read_period(request.GET.get(Placed.parameter_name))
        return super().changelist_view(request, {**(extra_context or {}), "drill": drill(period)})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The order's page; its forms have addresses of their own."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return order_page.show_order(self, request, object_id)

    def get_urls(self) -> list[URLPattern]:
        """With those of the page's forms."""
        own = []
        for name, view in order_page.FORMS.items():
            bound = self.admin_site.admin_view(order_page.bind(view, self))
            own.append(path(f"<str:order_id>/{name}/", bound, name=f"order_{name}"))
        return own + super().get_urls()

    @admin.display(description="Order", ordering="id")
    def number(self, order: Order) -> str:
        """Its id."""
        return order.id

    @admin.display(description="Placed (UTC)")
    def placed(self, order: Order) -> str:
        """To the minute."""
        return f"{order.created_at:%-d %b %Y, %H:%M}"

    @display(description="Status", label=dict(COLOURS))  # type: ignore[untyped-decorator]
    def shown_status(self, order: Order) -> tuple[str, str]:
        """Coloured."""
        return order.status, order.get_status_display()

    @admin.display(description="Customer")
    def customer(self, order: Order) -> str:
        """Leads to all orders of the same account."""
        there = f"{reverse('admin:orders_order_changelist')}?user_id={order.user_id}"
        return format_html('<a class="desk-link" href="{}">{}</a>', there, order.user_email or order.username)

    @admin.display(description="Total")
    def amount(self, order: Order) -> str:
        """With its currency."""
        return format_html('<span class="desk-amount">{} {}</span>', order.total, order.currency)
