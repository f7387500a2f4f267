"""The machinery, to look at: the catalogue's replica, the outbox, and the events that Kafka will never take."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from libs.values.errors import DomainError
from order_service.api.authentication import desk_caller
from order_service.desk.model_admin import DeskAdmin, chosen_ids, words_of
from order_service.queries.figures import catalogue_lag, outbox_backlog
from order_service.store.models import CatalogueProduct, Outbox, OutboxDead
from order_service.use_cases.resend_dead_events import resend_dead_events


class Explained(DeskAdmin):
    """A list with a sentence above it."""

    list_before_template = "desk/explained.html"

    def explain(self) -> Mapping[str, Any]:
        """`words`, and `is_well`."""
        raise NotImplementedError

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list and the sentence."""
        return super().changelist_view(request, {**(extra_context or {}), "explained": self.explain()})


@admin.register(CatalogueProduct)
class CatalogueAdmin(Explained):
    """The replica, as product_service published it."""

    list_display = ("name", "product_id", "price", "currency", "shown_active", "version", "updated_at")
    list_filter = ("active",)
    search_fields = ("name",)
    search_help_text = "Beginning of a name, or a whole id"
    sortable_by = ()

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """The newest first; what a search has found, by name: each as an index has it."""
        return ("name", "product_id") if request.GET.get(SEARCH_VAR, "").strip() else ("-product_id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CatalogueProduct], search_term: str
    ) -> tuple[QuerySet[CatalogueProduct], bool]:
        """By one index or the other: an OR over both would read the whole table."""
        text = search_term.strip()
        if not text:
            return queryset, False
        by_id = queryset.filter(product_id=text)
        return (by_id if by_id.exists() else queryset.filter(name__istartswith=text)), False

    @admin.display(description="Sold", boolean=True)
    def shown_active(self, product: CatalogueProduct) -> bool:
        """Whether it can be ordered."""
        return product.active

    def explain(self) -> Mapping[str, Any]:
        """How far the replica is behind."""
        lag = catalogue_lag()
        match lag.events:
            case None:
                return {"words": f"Nobody knows how far the replica is behind: {lag.reason}.", "is_well": False}
            case 0:
                return {"words": "The replica is up to date with product_service.", "is_well": True}
        return {"words": f"The replica is {lag.events:,} events behind product_service.", "is_well": False}


@admin.register(Outbox)
class OutboxAdmin(Explained):
    """Events that wait for Kafka: the relay sends them, and nobody has to."""

    list_display = ("event_id", "topic", "aggregate_id", "sequence", "created_at")
    ordering = ("id",)
    sortable_by = ("id",)

    def explain(self) -> Mapping[str, Any]:
        """How long the oldest has waited."""
        backlog = outbox_backlog()
        if not backlog.pending:
            return {"words": "Every event has been published.", "is_well": True}
        words = (
            f"{backlog.pending:,} events wait for Kafka, the oldest for {backlog.age}. The relay sends them on its own."
        )
        return {"words": words, "is_well": backlog.is_healthy}


@admin.register(OutboxDead)
class OutboxDeadAdmin(DeskAdmin):
    """They are never edited; who has mended the cause sends them again."""

    list_display = ("event_id", "topic", "aggregate_id", "sequence", "reason", "died_at")
    ordering = ("-id",)
    sortable_by = ("id",)
    actions = ("send_selected_again",)

    @admin.action(description="Send the selected events again", permissions=["act"])
    def send_selected_again(self, request: HttpRequest, chosen: QuerySet[OutboxDead]) -> None:
        """Each on its own, with a result of its own."""
        caller = desk_caller(request.user)
        for event_id in chosen_ids(request, chosen, "event_id"):
            try:
                waits = resend_dead_events(caller=caller, event_ids=[event_id])
            except DomainError as error:
                messages.error(request, f"Event {event_id}: {words_of(error)}. Nothing was changed.")
            else:
                if waits:
                    messages.success(request, f"Event {event_id} will be sent again")
                else:
                    text = f"Event {event_id} stays as it is: its order is decided by now, or somebody was quicker."
                    messages.warning(request, text)
