"""The parameters of the list of orders. The JSON API, its OpenAPI document and the form of the pages share them."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django_filters import CharFilter, ChoiceFilter, Filter, FilterSet

from libs.access.caller import Caller
from libs.values.errors import Invalid
from libs.values.pages import MAX_LIMIT, PageRequest, page_request
from order_service.domain.order_id import first_id
from order_service.domain.order_status import Status
from order_service.queries.order_json import OrderFilter
from order_service.queries.order_search import email_begins_with
from order_service.store.models import Order

MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})", re.IGNORECASE
)
LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9.]+)?")  # of <input type="datetime-local">
TIMES = ("createdAfter", "createdBefore")
PAGE_PARAMETERS = {"limit", "cursor", "sort"}
SORTS = {"newest": "Newest first", "oldest": "Oldest first"}
PRINTABLE = RegexValidator(r"[\x00-\x1f\x7f-\x9f]", "Control characters are not allowed.", inverse_match=True)


def parse_moment(text: str) -> datetime:
    """A time of RFC 3339, with its zone. Raises ValueError for any other text."""
    if not MOMENT.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text.upper())


def _one_of(*values: str) -> dict[str, str]:
    """A message in place of Django's, which repeats the value that was sent."""
    return {"invalid_choice": f"One of {', '.join(values)} is expected."}


class MomentInput(forms.DateTimeInput):
    """The browser's own picker. It has no zones, so the page names UTC."""

    input_type = "datetime-local"

    def format_value(self, value: Any) -> str | None:
        """The time that was sent; None for another text, which the picker could not show."""
        try:
            return parse_moment(value).astimezone(UTC).replace(tzinfo=None).isoformat() if value else None
        except (ValueError, OverflowError):
            return None


class MomentField(forms.Field):
    widget = MomentInput(attrs={"step": "any"})

    def to_python(self, value: Any) -> datetime | None:
        """The time. Raises ValidationError."""
        try:
            return parse_moment(value) if value else None
        except ValueError:
            raise forms.ValidationError("A time such as 2026-01-31T12:00:00Z is expected.", "invalid") from None


class PlacedFilter(Filter):  # type: ignore[misc]  # django-filter has no types
    """By the time of the order. An id contains that time, so the primary key serves the filter."""

    field_class = MomentField

    def filter(self, qs: Any, value: datetime | None) -> Any:
        return super().filter(qs, value and first_id(value))


def plain_page(fields: Mapping[str, str]) -> PageRequest | None:
    """The page that a query string without filters names. None for one with filters or with an error: ListForm reads it."""
    if not fields.keys() <= PAGE_PARAMETERS or not all(fields.values()) or fields.get("sort", "newest") not in SORTS:
        return None
    try:
        return page_request(
            sort=fields.get("sort", "newest"), key_types=[str], limit=fields.get("limit"), cursor=fields.get("cursor")
        )
    except Invalid:
        return None


class ListForm(forms.Form):
    """The sort and the page; `form_of` adds the filters."""

    filters: Mapping[str, Filter]
    field_order = ("search", "status", "sort", *TIMES, "userId", "limit")
    sort = forms.ChoiceField(
        choices=SORTS.items(),
        required=False,
        label="Sort",
        help_text="By the time of ordering; newest first by default",
        error_messages=_one_of(*SORTS),
    )
    limit = forms.CharField(
        required=False,
        label="Page size",
        help_text=f"Orders on a page, 1 to {MAX_LIMIT}; 20 by default",
        widget=forms.NumberInput({"min": 1, "max": MAX_LIMIT, "placeholder": 20}),
    )
    cursor = forms.CharField(
        required=False, help_text="From `next` or `previous` of another page", widget=forms.HiddenInput
    )

    def clean(self) -> dict[str, object]:
        """The cleaned fields. Sets `page` to the requested page."""
        fields: dict[str, str | None] = self.cleaned_data
        sort, limit, cursor = (fields.get(name) or None for name in ("sort", "limit", "cursor"))
        try:
            self.page = page_request(sort=sort or "newest", key_types=[str], limit=limit, cursor=cursor)
        except Invalid as error:
            for row in error.errors:
                self.add_error(row["field"], forms.ValidationError(row["message"], row["code"]))
        return self.cleaned_data

    def require_valid(self) -> None:
        """Raise Invalid with a row for each parameter that is unknown, empty or invalid."""
        rows = []
        for name, value in self.data.items():
            if name not in self.fields:
                rows.append(_row(name, "extra-forbidden", "There is no such parameter."))
            elif not value.strip():
                rows.append(_row(name, "blank", "A value is expected."))
        for name, errors in self.errors.as_data().items():
            rows += [_row(name, error.code or "invalid", " ".join(error.messages)) for error in errors]
        if rows:
            raise Invalid(rows)

    def as_filter(self, caller: Caller) -> OrderFilter | None:
        """The filters of a valid form. None for a search, which `narrow` does."""
        chosen = self.cleaned_data
        if chosen.get("search"):
            return None
        after, before = (moment and first_id(moment) for moment in map(chosen.get, TIMES))
        return OrderFilter(
            user_id=(chosen.get("userId") or None) if caller.has_role("viewer") else caller.user_id,
            status=chosen.get("status") or None,
            first_id=after,
            end_id=before,
        )

    def narrow(self, orders: QuerySet[Order]) -> QuerySet[Order]:
        """The orders that match the filters of a valid form."""
        for name, chosen in self.filters.items():
            orders = chosen.filter(orders, self.cleaned_data[name])
        return orders


class OrderFilters(FilterSet):  # type: ignore[misc]
    """The filters of a customer. Their names are those of the query string."""

    status = ChoiceFilter(
        choices=[(status.value, status.label) for status in Status],
        empty_label="Any",
        help_text="Orders of this status",
        error_messages=_one_of(*Status),
    )
    createdAfter = PlacedFilter("id", "gte", label="Placed from (UTC)", help_text="Placed at this time or later")
    createdBefore = PlacedFilter("id", "lt", label="Placed before (UTC)", help_text="Placed before this time")

    class Meta:
        model, fields, form = Order, (), ListForm


class StaffOrderFilters(OrderFilters):
    """The filters of viewers and staff, who see all orders."""

    userId = CharFilter(
        "user_id",
        label="Customer's id",
        max_length=64,
        validators=[PRINTABLE],
        help_text="Orders of this customer (staff)",
    )
    search = CharFilter(
        method="begins_with",
        label="Search",
        max_length=254,
        validators=[PRINTABLE],
        help_text="The beginning of an order's id, an e-mail address or a username (staff)",
        widget=forms.TextInput({"type": "search"}),
    )

    def begins_with(self, queryset: Any, name: str, value: str) -> Any:
        """The orders with such a beginning, which indexes serve."""
        names = email_begins_with(value) | Q(username__istartswith=value)
        return queryset.filter(names | Q(id__istartswith=value.upper()))


@cache
def form_of(filters: type[OrderFilters]) -> type[ListForm]:
    """The form of these filters. A FilterSet copies them and makes a new form for each request, which takes 1 ms."""
    made = filters()
    form: type[ListForm] = made.get_form_class()
    form.filters = made.filters
    return form


def fields_of(query: QueryDict, *, from_page: bool) -> dict[str, str]:
    """The fields of a query string. A page's form also sends empty ones, and times in UTC without a zone."""
    found = {name: str(value) for name, value in query.dict().items()}
    if not from_page:
        return found
    for name in TIMES:
        if LOCAL.fullmatch(time := found.get(name, "")):
            found[name] = f"{time}Z" if time.count(":") == 2 else f"{time}:00Z"
    return {name: value for name, value in found.items() if value.strip()}


def _row(field: str, code: str, message: str) -> dict[str, str]:
    return {"field": field, "code": code.replace("_", "-"), "message": message}
