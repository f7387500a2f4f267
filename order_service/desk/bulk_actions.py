"""Actions on many rows of a list. A page asks first, and one message sums up the results.

The page's form sends the keys of the rows. So the action changes the rows that were confirmed, whatever the list shows by then.
A form that is sent twice changes nothing more: an action leaves a row as it is that has its result already.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse

from libs.access.caller import Caller
from libs.values.errors import DomainError
from order_service.api.authentication import desk_caller
from order_service.desk.model_admin import Context, DeskAdmin, error_text

CONFIRMED = "confirmed"  # a field of the form on the page that asks
Outcome = Literal["changed", "unchanged", "refused"]


@dataclass(frozen=True)
class RowResult:
    """What the action did to a row, and why it did nothing."""

    key: str
    outcome: Outcome
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class BulkAction:
    """An action: `Cancel` for 3 `order`s, by which they are `cancelled`. `effect` is what staff have to know before.

    `apply` changes the row with one key. It returns the reason when the row stays as it is, else "", and raises DomainError for a
    refusal.
    """

    name: str
    verb: str
    noun: str
    done: str
    effect: str
    field: str
    apply: Callable[[Caller, str], str]
    is_danger: bool = False

    def run(self, caller: Caller, keys: Sequence[str]) -> list[RowResult]:
        """Apply the action to each row, in a transaction of its own."""
        return [self._run_one(caller, key) for key in keys]

    def _run_one(self, caller: Caller, key: str) -> RowResult:
        try:
            reason = self.apply(caller, key)
        except DomainError as error:
            return RowResult(key, "refused", error_text(error))
        return RowResult(key, "unchanged" if reason else "changed", reason)


def admin_action(bulk: BulkAction) -> Callable[..., HttpResponse | None]:
    """The action for `actions` of a list: the page that asks, then the change."""

    @admin.action(description=f"{bulk.verb} the selected {bulk.noun}s", permissions=["act"])
    def act(page: DeskAdmin, request: HttpRequest, selected: QuerySet[Any]) -> HttpResponse | None:
        if CONFIRMED in request.POST:
            keys = request.POST.getlist(ACTION_CHECKBOX_NAME)[: page.max_selected]
            _report(request, bulk, bulk.run(desk_caller(request.user), keys))
            return None
        keys = [str(key) for key in selected.values_list(bulk.field, flat=True)[: page.max_selected + 1]]
        if len(keys) > page.max_selected:
            text = f"One action changes {page.max_selected} {bulk.noun}s at most, and more are selected. "
            text += f"Select at most {page.max_selected} rows, or choose a filter. Nothing was changed."
            messages.error(request, text)
            return None
        if not keys:
            messages.warning(
                request, f"None of the selected {bulk.noun}s is in the list any more. Nothing was changed."
            )
            return None
        return _ask(page, request, bulk, keys)

    act.__name__ = bulk.name
    return act


def _ask(page: DeskAdmin, request: HttpRequest, bulk: BulkAction, keys: list[str]) -> HttpResponse:
    context = {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "title": f"{bulk.verb} {_count(len(keys), bulk.noun)}?",
        "bulk": bulk,
        "count": _count(len(keys), bulk.noun),
        "keys": keys,
        "field": ACTION_CHECKBOX_NAME,
        "confirmed": CONFIRMED,
        "back": request.get_full_path(),
    }
    request.current_app = page.admin_site.name
    return TemplateResponse(request, "desk/confirm.html", context)


def _report(request: HttpRequest, bulk: BulkAction, results: list[RowResult]) -> None:
    """Add one message with all results."""
    changed, unchanged, refused = (
        [result for result in results if result.outcome == outcome] for outcome in ("changed", "unchanged", "refused")
    )
    context: Context = {"bulk": bulk, "changed": changed, "unchanged": unchanged, "refused": refused}
    context["total"] = _count(len(results), bulk.noun)
    level = messages.SUCCESS if len(changed) == len(results) else messages.WARNING
    level = messages.ERROR if len(refused) == len(results) else level
    messages.add_message(request, level, render_to_string("desk/bulk_result.html", context))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
