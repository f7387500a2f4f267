"""What the desk's pages over other services have in common: the admin's frame, filters in the address, pages by their cursors."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from order_service.api.authentication import desk_caller
from order_service.desk.remote.client import Away, Refusal, Service, ask

CURSOR = "cursor"


class FilterForm(forms.Form):
    """Filters of a list, in its address. An empty one is none."""

    def query(self) -> dict[str, str]:
        """What was chosen, as the service's parameters."""
        return {name: value for name, value in self.cleaned_data.items() if value}


def text_filter(label: str, most: int, kind: str = "search") -> forms.CharField:
    """A filter by what is typed, of at most so many characters."""
    widget = UnfoldAdminTextInputWidget({"type": kind})
    return forms.CharField(label=label, max_length=most, required=False, widget=widget)


def choice_filter(label: str, choices: Mapping[str, str]) -> forms.ChoiceField:
    """A filter by one of some values."""
    return forms.ChoiceField(
        label=label, choices=list(choices.items()), required=False, widget=UnfoldAdminSelectWidget()
    )


def render(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    """A page in the admin's frame. A service that is away is no error of this one: it is told in words, with status 200, for a 503
    would open the breaker in front of the orders."""
    may_act = desk_caller(request.user).has_role("staff")
    frame = {**admin.site.each_context(request), "title": title, "may_act": may_act}
    return TemplateResponse(request, template, {**frame, **context})


def require_staff(request: HttpRequest) -> None:
    """Raise PermissionDenied for a viewer."""
    if not desk_caller(request.user).has_role("staff"):
        raise PermissionDenied


def read_list(request: HttpRequest, service: Service, path: str, form: FilterForm) -> dict[str, Any]:
    """`rows`, the addresses of the pages `before` and `after`, and `away` in words. What the service refuses is an error of its
    field in the form. Raises SessionOver."""
    if not form.is_valid():
        return {"form": form}
    cursor = {CURSOR: request.GET[CURSOR]} if CURSOR in request.GET else {}
    answer = ask(request, service, "GET", path, query=form.query() | cursor)
    if isinstance(answer, Away):
        return {"form": form, "away": answer.words}
    if isinstance(answer, Refusal):
        show_refusal(form, answer)
        return {"form": form}
    pages = {"before": _page(request, answer["previous"]), "after": _page(request, answer["next"])}
    return {"form": form, "rows": answer["results"], **pages}


def read_one(request: HttpRequest, service: Service, path: str) -> dict[str, Any] | Away:
    """One thing of a service. Raises Http404, SessionOver."""
    answer = ask(request, service, "GET", path)
    if isinstance(answer, Refusal):
        if answer.status == 404:
            raise Http404
        return Away(answer.words)
    return answer


def show_refusal(form: forms.Form, refusal: Refusal, field: str | None = None) -> None:
    """Put the service's words at the fields they are about, or at `field`, or above the form."""
    for name, words in refusal.fields.items():
        form.add_error(name if name in form.fields else None, words)
    if not refusal.fields:
        form.add_error(field, refusal.words)


def moment(text: str) -> datetime:
    """A time as services tell it."""
    return datetime.fromisoformat(text)


def _page(request: HttpRequest, link: str | None) -> str | None:
    """The address, on this page, of the one that a service links to."""
    if not link:
        return None
    query = request.GET.copy()
    query[CURSOR] = parse_qs(urlsplit(link).query)[CURSOR][0]
    return f"?{query.urlencode()}"
