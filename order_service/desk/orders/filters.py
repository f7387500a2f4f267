"""The filters of the list of orders. An index serves each of them, and none sorts."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from libs.values.times import now
from order_service.desk.orders.periods import Period
from order_service.queries.figures import long_pending
from order_service.queries.order_ranges import OrderFilter
from order_service.store.models import Order

RECENT_DAYS = 7
Orders = QuerySet[Order]


class PeriodFilter(SimpleListFilter):
    """A day, month or year: `?placed=2026-11-20`. The links above the list lead to any of them."""

    title, parameter_name = "day", "placed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The last RECENT_DAYS days, and the chosen period."""
        zone = settings.SHOP_TIME_ZONE
        today = now().astimezone(zone)
        days = [Period.parse(f"{today - timedelta(days=back):%Y-%m-%d}", zone) for back in range(RECENT_DAYS)]
        choices = {day.value: name for day, name in zip(days, ("Today", "Yesterday"), strict=False)}
        choices |= {day.value: day.title for day in days[2:]}
        if (chosen := self.period()) and chosen.value not in choices:
            choices[chosen.value] = chosen.title
        return list(choices.items())

    def period(self) -> Period | None:
        """The chosen period. Raises IncorrectLookupParameters."""
        return read_period(self.value())

    def queryset(self, request: HttpRequest, queryset: Orders) -> Orders:
        """The orders of the period, by the primary key, which contains the time."""
        period = self.period()
        return queryset.filter(**period.bounds()) if period else queryset


def read_period(text: str | None) -> Period | None:
    """The period that a parameter names, or None without a parameter. Raises IncorrectLookupParameters."""
    if not text:
        return None
    try:
        period = Period.parse(text, settings.SHOP_TIME_ZONE)
        period.bounds()
    except (ValueError, OverflowError) as error:
        raise IncorrectLookupParameters(text) from error
    return period


def period_and_status(parameters: QueryDict) -> OrderFilter | None:
    """The orders of a list with these two filters and no other one. Raises IncorrectLookupParameters."""
    chosen = {name: str(value) for name, value in parameters.items() if value and name not in ("p", "o", "all")}
    if chosen.keys() != {PeriodFilter.parameter_name, "status__exact"}:
        return None
    period = read_period(chosen[PeriodFilter.parameter_name])
    bounds = period.bounds() if period else {}
    return OrderFilter(status=chosen["status__exact"], first_id=bounds.get("id__gte"), end_id=bounds.get("id__lt"))


class LongPendingFilter(SimpleListFilter):
    """Orders that are pending for more than 5 minutes."""

    title, parameter_name = "waiting", "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice."""
        return [("long", "Pending for more than 5 minutes")]

    def queryset(self, request: HttpRequest, queryset: Orders) -> Orders:
        """By status and id."""
        return queryset.filter(**long_pending()) if self.value() == "long" else queryset


class CustomerFilter(SimpleListFilter):
    """The orders of one customer. The links at customers' names lead here."""

    title, parameter_name = "customer", "user_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The chosen account, or no choice."""
        return [(chosen, f"Account {chosen}")] if (chosen := request.GET.get("user_id")) else []

    def queryset(self, request: HttpRequest, queryset: Orders) -> Orders:
        """By customer and id."""
        return queryset.filter(user_id=self.value()) if self.value() else queryset
