"""Lists about events: the replica of the catalogue, the outbox, and the events that Kafka refused."""

from dataclasses import dataclass

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from libs.access.caller import Caller
from order_service.desk.bulk_actions import BulkAction, admin_action
from order_service.desk.model_admin import Context, DeskAdmin
from order_service.queries.figures import catalogue_lag, outbox_backlog
from order_service.store.models import CatalogueProduct, Outbox, OutboxDead
from order_service.use_cases.resend_dead_events import resend_dead_events


@dataclass(frozen=True)
class ListStatus:
    """A sentence about a list."""

    text: str
    is_healthy: bool


class ListWithStatus(DeskAdmin):
    """A list with a sentence about its status above it."""

    list_before_template = "desk/list_status.html"

    def status(self) -> ListStatus:
        """The list's status."""
        raise NotImplementedError

    def changelist_view(self, request: HttpRequest, extra_context: Context | None = None) -> HttpResponse:
        """The list and its status."""
        return super().changelist_view(request, {**(extra_context or {}), "list_status": self.status()})


@admin.register(CatalogueProduct)
class CatalogueAdmin(ListWithStatus):
    """The replica of the catalogue, as product_service published it."""

    list_display = ("name", "product_id", "price", "currency", "shown_active", "version", "updated_at")
    list_filter = ("active",)
    search_fields = ("name",)
    search_help_text = "Beginning of a name, or a complete id"
    sortable_by = ()

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """The newest first, and the matches of a search by name. An index has each of these orders."""
        return ("name", "product_id") if request.GET.get(SEARCH_VAR, "").strip() else ("-product_id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CatalogueProduct], search_term: str
    ) -> tuple[QuerySet[CatalogueProduct], bool]:
        """The matches by one index or the other. An OR over both columns would read the whole table."""
        text = search_term.strip()
        if not text:
            return queryset, False
        by_id = queryset.filter(product_id=text)
        return (by_id if by_id.exists() else queryset.filter(name__istartswith=text)), False

    @admin.display(description="Sold", boolean=True)
    def shown_active(self, product: CatalogueProduct) -> bool:
        """True when customers can order the product."""
        return product.active

    def status(self) -> ListStatus:
        """How many events the replica is behind."""
        lag = catalogue_lag()
        match lag.events:
            case None:
                return ListStatus(f"The lag of the replica is unknown: {lag.reason}.", is_healthy=False)
            case 0:
                return ListStatus("The replica is up to date with product_service.", is_healthy=True)
        return ListStatus(f"The replica is {lag.events:,} events behind product_service.", is_healthy=False)


@admin.register(Outbox)
class OutboxAdmin(ListWithStatus):
    """Events that the relay has not published yet."""

    list_display = ("event_id", "topic", "aggregate_id", "sequence", "created_at")
    ordering = ("id",)
    sortable_by = ("id",)

    def status(self) -> ListStatus:
        """The age of the oldest event."""
        backlog = outbox_backlog()
        if not backlog.pending:
            return ListStatus("Every event is published.", is_healthy=True)
        text = (
            f"{backlog.pending:,} events are not published yet, the oldest for {backlog.age}. The relay publishes them."
        )
        return ListStatus(text, backlog.is_healthy)


def _resend(caller: Caller, event_id: str) -> str:
    requeued = resend_dead_events(caller=caller, event_ids=[event_id])
    return "" if requeued else "its order is decided, or it was resent before"


RESEND = BulkAction(
    name="resend_selected",
    verb="Resend",
    noun="event",
    done="resent",
    effect="The relay publishes each event again. Resend events once the cause of their refusal is removed.",
    field="event_id",
    apply=_resend,
)


@admin.register(OutboxDead)
class OutboxDeadAdmin(DeskAdmin):
    """Events that Kafka refused. Staff can't change them, and resend them once the cause is removed."""

    list_display = ("event_id", "topic", "aggregate_id", "sequence", "reason", "died_at")
    ordering = ("-id",)
    sortable_by = ("id",)
    actions = (admin_action(RESEND),)
