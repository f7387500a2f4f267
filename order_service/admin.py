"""The desk: Django's admin pages for orders, the catalogue's replica and the outbox.

Nothing is edited in a form here. An order moves on by an action, through the same use case as the API.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from chassis.errors import DomainError
from order_service.api.authentication import desk_caller
from order_service.models import CatalogueProduct, Order, OrderChange, OrderLine, Outbox, OutboxDead, Status
from order_service.use_cases import set_status

admin.site.site_title = admin.site.site_header = f"{settings.SHOP_NAME} desk"
admin.site.index_title = "Orders and catalogue"
admin.site.site_url = "/orders"

Action = Callable[["OrderAdmin", HttpRequest, QuerySet[Order]], None]


class ReadOnly:
    """Rows may be looked at, and nothing else."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _move_action(status: Status, verb: str) -> Action:
    @admin.action(description=f"{verb} the selected orders", permissions=["change"])
    def move(_admin: "OrderAdmin", request: HttpRequest, chosen: QuerySet[Order]) -> None:
        caller = desk_caller(request.user)
        for order_id in chosen.values_list("id", flat=True):
            try:
                set_status(caller=caller, order_id=order_id, status=status)
            except DomainError as error:
                messages.error(request, f"Order {order_id}: {error.detail or error.title}")
            else:
                messages.success(request, f"Order {order_id} is {status.value} now")

    move.__name__ = f"make_{status.value}"
    return move


class Lines(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """What was ordered."""

    model = OrderLine
    fields = readonly_fields = ("product_id", "name", "quantity", "unit_price", "line_total", "product_version")
    extra = 0


class Changes(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """What happened to it."""

    model = OrderChange
    fields = readonly_fields = ("at", "from_status", "to_status", "actor", "reason")
    extra = 0


@admin.register(Order)
class OrderAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Search by the beginning of an id, an e-mail address or a username."""

    list_display = ("id", "status", "user_email", "username", "total", "currency", "created_at")
    list_filter = ("status", "created_at")
    search_fields = ("^id", "^user_email", "^username")
    search_help_text = "The beginning of an order's id, an e-mail address or a username"
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    readonly_fields = tuple(field.name for field in Order._meta.fields)
    inlines = (Lines, Changes)
    actions = (
        _move_action(Status.SHIPPED, "Ship"),
        _move_action(Status.DELIVERED, "Deliver"),
        _move_action(Status.CANCELLED, "Cancel"),
    )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The order's page, without buttons that would save nothing."""
        buttons = {"show_save": False, "show_save_and_continue": False}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **buttons})


class Shown(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """A table of the machinery: to look at."""

    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CatalogueProduct)
class CatalogueAdmin(Shown):
    """The replica, as product_service published it."""

    list_display = ("product_id", "name", "price", "currency", "active", "version", "updated_at")
    list_filter = ("active",)
    search_fields = ("^product_id", "name")
    ordering = ("name",)


@admin.register(Outbox)
class OutboxAdmin(Shown):
    """Events that wait for Kafka."""

    list_display = ("event_id", "topic", "aggregate_id", "sequence", "created_at")
    ordering = ("id",)


@admin.register(OutboxDead)
class OutboxDeadAdmin(Shown):
    """Events that Kafka will never take."""

    list_display = ("event_id", "topic", "aggregate_id", "sequence", "reason", "died_at")
    ordering = ("-id",)
