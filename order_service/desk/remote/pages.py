"""Shared parts of the pages over other services: the admin's frame, filters in the address, and pages by cursor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from order_service.api.authentication import desk_caller
from order_service.desk.remote.client import Model, RemoteModel, RemoteRefusal, RemoteUnavailable, Service, call_service

CURSOR = "cursor"
Row = TypeVar("Row", bound=RemoteModel)


class RemotePage(RemoteModel, Generic[Row]):
    """A page of a service's list, with links to the pages before and after it."""

    results: tuple[Row, ...]
    previous: str | None
    next: str | None


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """The rows of a list and the addresses of the pages before and after. `unavailable` is the reason for having no rows."""

    rows: Sequence[Row] = ()
    before: str | None = None
    after: str | None = None
    unavailable: str = ""


class FilterForm(forms.Form):
    """The filters of a list, in its address."""

    def query(self) -> dict[str, str]:
        """The chosen filters as the service's parameters."""
        return {name: value for name, value in self.cleaned_data.items() if value}


def text_filter(label: str, max_length: int) -> forms.CharField:
    """A filter by text. `max_length` is in characters."""
    widget = UnfoldAdminTextInputWidget({"type": "search"})
    return forms.CharField(label=label, max_length=max_length, required=False, widget=widget)


def choice_filter(label: str, choices: Mapping[str, str]) -> forms.ChoiceField:
    """A filter by one of several values."""
    return forms.ChoiceField(
        label=label, choices=list(choices.items()), required=False, widget=UnfoldAdminSelectWidget()
    )


def render(request: HttpRequest, template: str, title: str, **context: object) -> HttpResponse:
    """A page in the admin's frame.

    A page that says that another service is unavailable has status 200: a 503 would open the circuit breaker of this service.
    """
    may_act = desk_caller(request.user).has_role("staff")
    frame = {**admin.site.each_context(request), "title": title, "may_act": may_act}
    return TemplateResponse(request, template, {**frame, **context})


def require_staff(request: HttpRequest) -> None:
    """Raise PermissionDenied for a viewer."""
    if not desk_caller(request.user).has_role("staff"):
        raise PermissionDenied


def read_list(
    request: HttpRequest, service: Service, path: str, page: type[RemotePage[Row]], form: FilterForm
) -> Listing[Row]:
    """One page of a service's list. A refusal by the service becomes an error of the form. Raises LoginEnded."""
    if not form.is_valid():
        return Listing()
    cursor = {CURSOR: request.GET[CURSOR]} if request.GET.get(CURSOR) else {}
    found = call_service(request, service, "GET", path, page, query=form.query() | cursor)
    if isinstance(found, RemoteUnavailable):
        return Listing(unavailable=found.text)
    if isinstance(found, RemoteRefusal):
        show_refusal(form, found)
        return Listing()
    return Listing(found.results, _page(request, found.previous), _page(request, found.next))


def read_one(request: HttpRequest, service: Service, path: str, model: type[Model]) -> Model | RemoteUnavailable:
    """One resource of a service. Raises Http404, LoginEnded."""
    found = call_service(request, service, "GET", path, model)
    if isinstance(found, RemoteRefusal):
        if found.status == 404:
            raise Http404
        return RemoteUnavailable(found.text)
    return found


def show_refusal(form: forms.Form, refusal: RemoteRefusal, field: str | None = None) -> None:
    """Add the service's texts to their fields. A refusal without fields goes to `field`, or above the form."""
    for name, text in refusal.fields.items():
        form.add_error(name if name in form.fields else None, text)
    if not refusal.fields:
        form.add_error(field, refusal.text)


def _page(request: HttpRequest, link: str | None) -> str | None:
    """The address, at the desk, of the page that a service links to."""
    if not link:
        return None
    query = request.GET.copy()
    query[CURSOR] = parse_qs(urlsplit(link).query)[CURSOR][0]
    return f"?{query.urlencode()}"
