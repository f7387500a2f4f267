"""Actions on many rows of a list. A page asks first, and one message sums up the results.

The page's form sends the keys of the rows. So the action changes the rows that were confirmed, whatever the list shows by then.
An action leaves a row as it is that has its result already.

A selection of more rows covers all matches of the list. Its form has no keys: bulk_runs.py changes the matches in steps.
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
from order_service.desk.bulk_runs import STATE, Run, count_rows, newest_key
from order_service.desk.model_admin import MAX_COUNTED, Context, DeskAdmin, error_text

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
        if STATE in request.POST:
            return _go_on(page, request, bulk, selected)
        if CONFIRMED in request.POST:
            keys = request.POST.getlist(ACTION_CHECKBOX_NAME)[: page.max_selected]
            _report(request, bulk, bulk.run(desk_caller(request.user), keys))
            return None
        keys = [str(key) for key in selected.values_list(bulk.field, flat=True)[: page.max_selected + 1]]
        if len(keys) > page.max_selected:
            return _ask_for_all(page, request, bulk, selected)
        if not keys:
            messages.warning(
                request, f"None of the selected {bulk.noun}s is in the list any more. Nothing was changed."
            )
            return None
        return _ask(page, request, bulk, keys)

    act.__name__ = bulk.name
    return act


def _ask_for_all(page: DeskAdmin, request: HttpRequest, bulk: BulkAction, selected: QuerySet[Any]) -> HttpResponse:
    """The page that asks before a run over all matches. Rows that are made later don't belong to it."""
    newest, total = newest_key(selected), count_rows(selected)
    run = Run(upto=newest, total=total)
    count = f"more than {total:,} {bulk.noun}s" if total >= MAX_COUNTED else _count(total, bulk.noun)
    return _page(page, request, bulk, f"{bulk.verb} {count}?", count=count, state=run.seal(bulk.name))


def _go_on(page: DeskAdmin, request: HttpRequest, bulk: BulkAction, selected: QuerySet[Any]) -> HttpResponse | None:
    """The next step of a run: its page, which goes on, or None with the message after the last step."""
    run = Run.unseal(request.POST[STATE], bulk.name)
    if run is None:
        messages.error(request, "The form was too old. Nothing was changed.")
        return None
    rows = run.next_rows(selected, bulk.field, page.max_selected)
    results = bulk.run(desk_caller(request.user), [str(key) for _, key in rows])
    run = run.after(rows, [(result.key, result.outcome, result.text) for result in results])
    if len(rows) == page.max_selected:
        title = f"{run.done:,} of {run.total:,} {bulk.noun}s are done"
        return _page(page, request, bulk, title, run=run, state=run.seal(bulk.name))
    context: Context = {"bulk": bulk, "run": run, "total": _count(run.done, bulk.noun)}
    level = messages.SUCCESS if run.changed == run.done else messages.WARNING
    level = messages.ERROR if run.refused == run.done else level
    messages.add_message(request, level, render_to_string("desk/bulk_result_of_run.html", context))
    return None


def _ask(page: DeskAdmin, request: HttpRequest, bulk: BulkAction, keys: list[str]) -> HttpResponse:
    count = _count(len(keys), bulk.noun)
    return _page(page, request, bulk, f"{bulk.verb} {count}?", count=count, keys=keys, confirmed=CONFIRMED)


def _page(page: DeskAdmin, request: HttpRequest, bulk: BulkAction, title: str, **more: object) -> HttpResponse:
    context = {**page.admin_site.each_context(request), "opts": page.opts, "title": title, "bulk": bulk, **more}
    context |= {"field": ACTION_CHECKBOX_NAME, "back": request.get_full_path()}
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
