"""What the desk's lists have in common: rows are looked at, and counted only as far as it is cheap."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from libs.values.errors import DomainError

MOST_COUNTED = 10_000  # rows: a list has no later page than the one with this row; days and filters lead further back
MOST_AT_ONCE = 100  # rows for one action: each is a transaction of its own


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # generic in the stubs only
    """Counts to MOST_COUNTED: neither a count nor a page reads more rows than that."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, or MOST_COUNTED."""
        return int(self.object_list.order_by()[:MOST_COUNTED].count())  # type: ignore[attr-defined]

    @property
    def is_capped(self) -> bool:
        """Whether there may be more rows than `count`."""
        return self.count >= MOST_COUNTED


class DeskList(ChangeList):
    """Sorts by nothing that has no link to sort by it: no hand-made address sorts a table without an index."""

    def get_ordering_field(self, field_name: Any) -> Any:
        """None for a column that is not in `sortable_by`."""
        return super().get_ordering_field(field_name) if field_name in self.sortable_by else None


class DeskAdmin(ModelAdmin):
    """Rows may be looked at. A POST by somebody who may not change anything is refused, whatever it holds."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_disable_select_all = True
    show_facets = ShowFacets.NEVER  # a count for each choice of each filter
    list_per_page = 50
    list_max_show_all = 50
    act_permission = "orders.change_order"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whether somebody may run this list's actions."""
        return bool(request.user.has_perm(self.act_permission))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list. Raises PermissionDenied for an action by somebody who may not act."""
        if request.method == "POST" and not self.has_act_permission(request):
            raise PermissionDenied
        title = str(self.opts.verbose_name_plural).capitalize()
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        """With the list's own order."""
        return DeskList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what a filter offers: any other column could be searched without an index."""
        return lookup in {f"{it}__exact" if isinstance(it, str) else it.parameter_name for it in self.list_filter}


def chosen_ids(request: HttpRequest, chosen: Any, field: str) -> list[str]:
    """The rows that an action is for; none, and a message, when they are too many."""
    ids = list(chosen.values_list(field, flat=True)[: MOST_AT_ONCE + 1])
    if len(ids) <= MOST_AT_ONCE:
        return ids
    messages.error(request, f"At most {MOST_AT_ONCE} at once, please. Nothing was changed.")
    return []


def words_of(error: DomainError) -> str:
    """What to tell staff of a refusal."""
    return error.detail or error.title
