"""Shared parts of the desk's lists: read-only rows, and a count with a limit."""

from typing import Any

from django.contrib.admin import ShowFacets
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from libs.values.errors import DomainError
from order_service.queries.figures import (
    MAX_COUNTED as MAX_COUNTED,  # the last page ends there, filters reach older rows
)

Context = dict[str, object]  # of a template, as Django passes it

MAX_SELECTED = 100  # rows of one action; each row is a transaction of its own


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # generic in the stubs only
    """Counts to MAX_COUNTED, so that neither a count nor a page reads more rows of an index."""

    @cached_property
    def count(self) -> int:
        """The number of rows, at most MAX_COUNTED."""
        return int(self.object_list.order_by()[:MAX_COUNTED].count())  # type: ignore[attr-defined]

    def page(self, number: int | str) -> Page:  # type: ignore[type-arg]
        """A page. Its keys are found first: to skip rows of an index takes less time than to skip whole rows."""
        found = super().page(number)
        rows = found.object_list
        if found.number > 1 and isinstance(rows, QuerySet):
            everything: QuerySet[Any] = self.object_list  # type: ignore[assignment]
            found.object_list = everything.filter(pk__in=list(rows.values_list("pk", flat=True)))
        return found

    @property
    def is_capped(self) -> bool:
        """True when there may be more rows than `count`."""
        return self.count >= MAX_COUNTED


class DeskList(ChangeList):
    """Sorts by the columns of `sortable_by` only. Any other column could sort a table without an index."""

    def get_ordering_field(self, field_name: Any) -> Any:
        """None for a column that is not in `sortable_by`."""
        return super().get_ordering_field(field_name) if field_name in self.sortable_by else None


class DeskAdmin(ModelAdmin):
    """Shows rows and changes none. It refuses every POST of an account without `act_permission`."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # facets count the rows of each choice of each filter
    list_per_page = 50
    list_max_show_all = 50
    act_permission = "orders.change_order"

    @property
    def max_selected(self) -> int:
        """How many rows an action may change."""
        return MAX_SELECTED

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """True when the account may run this list's actions."""
        return bool(request.user.has_perm(self.act_permission))

    def changelist_view(self, request: HttpRequest, extra_context: Context | None = None) -> HttpResponse:
        """The list. Raises PermissionDenied for an action by an account without `act_permission`."""
        if request.method == "POST" and not self.has_act_permission(request):
            raise PermissionDenied
        title = str(self.opts.verbose_name_plural).capitalize()
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        """Django's hook: the class of this list."""
        return DeskList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """True for the parameters of this list's filters. Any other column could be searched without an index."""
        return lookup in {f"{it}__exact" if isinstance(it, str) else it.parameter_name for it in self.list_filter}


def error_text(error: DomainError) -> str:
    """The text of a refusal for staff."""
    return error.detail or error.title
