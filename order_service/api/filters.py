"""The parameters of the list of orders. The JSON API, its OpenAPI document and the form of the pages share them."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django_filters import CharFilter, ChoiceFilter, Filter, FilterSet
from pydantic_core import PydanticCustomError

from libs.access.caller import Caller
from libs.values.errors import Invalid
from libs.values.field_errors import EMPTY_NAME
from libs.values.pages import MAX_LIMIT, PageRequest, page_request
from libs.values.text import check_line
from libs.web.parameters import blank_row
from order_service.domain.order_id import first_id
from order_service.domain.order_status import Status
from order_service.domain.settling import SETTLING_TIME
from order_service.queries.order_ranges import OrderFilter
from order_service.queries.order_search import email_begins_with
from order_service.store.models import Order

MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-5][0-9])", re.IGNORECASE
)
LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9.]+)?")  # of <input type="datetime-local">
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
TIMES = ("createdAfter", "createdBefore", "updatedAfter")
PAGE_PARAMETERS = {"limit", "cursor", "sort"}
SORTS = {"newest": "Newest first", "oldest": "Oldest first"}
MEANINGS = {
    "max_length": ("string-too-long", "Enter at most {limit_value} characters"),
    "null_characters_not_allowed": ("character-not-allowed", "A control character is not allowed"),
}
"""An error of Django's own: our code, and our message with the values of the rule. All others have words of ours."""


def parse_moment(text: str) -> datetime:
    """A time of RFC 3339, in UTC. Raises ValueError for any other text.

    No order is as old as 1970, and none is of the year 10000. Times beyond these years are their beginning and their end.
    """
    if not MOMENT.fullmatch(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text.upper())
    try:
        return max(EARLIEST, moment.astimezone(UTC))
    except OverflowError:
        return EARLIEST if moment.year == 1 else LATEST


def require_line(text: str) -> None:
    """A validator: raises Django's ValidationError for text that no field of the shop may have."""
    try:
        check_line(text)
    except PydanticCustomError as error:
        raise forms.ValidationError(error.message(), error.type) from None


def _one_of(*values: str) -> dict[str, str]:
    """A message in place of Django's, which repeats the value that was sent."""
    return {"invalid_choice": f"Enter one of: {', '.join(values)}"}


class MomentInput(forms.DateTimeInput):
    """The browser's own picker. It has no zones, so the page names UTC."""

    input_type = "datetime-local"

    def format_value(self, value: Any) -> str | None:
        """The time that was sent; None for another text, which the picker could not show."""
        try:
            return parse_moment(value).replace(tzinfo=None).isoformat() if value else None
        except ValueError:
            return None


class MomentField(forms.Field):
    widget = MomentInput(attrs={"step": "any"})

    def to_python(self, value: Any) -> datetime | None:
        """The time. Raises ValidationError."""
        try:
            return parse_moment(value) if value else None
        except ValueError:
            is_decoded_plus = bool(MOMENT.fullmatch(value.replace(" ", "+", 1)))
            hint = ". In a query string a + means a space: write it as %2B" if is_decoded_plus else ""
            raise forms.ValidationError(f"Enter a time such as 2026-01-31T12:00:00Z{hint}", "invalid_time") from None


class MomentFilter(Filter):  # type: ignore[misc]  # django-filter has no types
    """By a time."""

    field_class = MomentField


class PlacedFilter(MomentFilter):
    """By the time of the order. An id contains that time, so the primary key serves the filter."""

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
        strip=False,
        label="Page size",
        help_text=f"Orders on a page, 1 to {MAX_LIMIT}; 20 by default",
        widget=forms.NumberInput({"min": 1, "max": MAX_LIMIT, "placeholder": 20}),
    )
    cursor = forms.CharField(
        required=False, strip=False, help_text="From `next` or `previous` of another page", widget=forms.HiddenInput
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
                rows.append(_row(name or EMPTY_NAME, "extra-forbidden", "There is no such parameter"))
            elif not value.strip():
                rows.append(blank_row(name))
        blank = {row["field"] for row in rows}
        for name, errors in self.errors.as_data().items():
            found = {row["code"]: row for row in (_error_row(name, error) for error in errors if name not in blank)}
            rows += found.values()
        if rows:
            raise Invalid(rows)

    def as_filter(self, caller: Caller) -> OrderFilter | None:
        """The filters of a valid form. None for an id that no account has, which `narrow` knows."""
        chosen = self.cleaned_data
        if (chosen.get("userId") or "").endswith(" "):
            return None
        after, before, updated = map(chosen.get, TIMES)
        return OrderFilter(
            user_id=(chosen.get("userId") or None) if caller.has_role("viewer") else caller.user_id,
            status=chosen.get("status") or None,
            first_id=after and first_id(after),
            end_id=before and first_id(before),
            updated_from=updated or None,
            beginning=chosen.get("search") or None,
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
    createdAfter = PlacedFilter(
        "id",
        "gte",
        label="Placed from (UTC)",
        help_text=f"Placed at this time or later. Orders of the last {SETTLING_TIME.seconds} s may still appear",
    )
    createdBefore = PlacedFilter("id", "lt", label="Placed before (UTC)", help_text="Placed before this time")
    updatedAfter = MomentFilter(
        "updated_at",
        "gte",
        label="Changed from (UTC)",
        help_text=f"Changed at this time or later. Changes of the last {SETTLING_TIME.seconds} s may still appear",
    )

    class Meta:
        model, fields, form = Order, (), ListForm


class StaffOrderFilters(OrderFilters):
    """The filters of viewers and staff, who see all orders."""

    userId = CharFilter(
        "user_id",
        label="Customer's id",
        max_length=64,
        validators=[require_line],
        strip=False,  # ids are compared byte by byte
        help_text="Orders of this customer (staff)",
    )
    search = CharFilter(
        method="begins_with",
        label="Search",
        max_length=254,
        validators=[require_line],
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


def _error_row(field: str, error: forms.ValidationError) -> dict[str, str]:
    code, message = MEANINGS.get(error.code or "", (error.code or "invalid-value", " ".join(error.messages)))
    return _row(field, code, message.format_map(error.params or {}))


def _row(field: str, code: str, message: str) -> dict[str, str]:
    return {"field": field, "code": code.replace("_", "-"), "message": message}
