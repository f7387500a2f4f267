"""The figures of the desk's overview. Each query reads a range of an index, none reads a whole table."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate

from libs.django_store.worker_status import DjangoWorkerStatus
from libs.runtime.health import CheckFailed, latest_status
from order_service.events.topics import CATALOGUE_GROUP
from order_service.store.models import Order, OutboxDead, Status, first_id, now
from order_service.store.outbox import DjangoOutbox

DAYS = 30
NO_REVENUE = (Status.REJECTED, Status.CANCELLED)
OPEN = (Status.PENDING, Status.CONFIRMED, Status.SHIPPED)  # statuses that are not final
LONG_WAIT = timedelta(minutes=5)
LATE_SECONDS = 60  # the relay usually publishes within 1 s


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySales:
    """The orders of a day (UTC), and the revenue of the day in the currency of `Sales`."""

    date: datetime.date
    orders: int
    revenue: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Sales:
    """The last DAYS days: each day, the orders of each status, and the revenue of each currency.

    `currency` is the one with the highest revenue, "" without revenue. Rejected and cancelled orders have no revenue.
    """

    days: tuple[DaySales, ...]
    statuses: Mapping[Status, int]
    revenue: Mapping[str, Decimal]
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LongPending:
    """Orders that are pending for longer than LONG_WAIT: their number, and the age of the oldest, "" without any."""

    orders: int
    age: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxBacklog:
    """Events that the relay has not published yet: their number, and the age of the oldest."""

    pending: int
    age: str
    is_healthy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueLag:
    """How many events the replica of the catalogue is behind; None, and the reason, when that is unknown."""

    events: int | None
    reason: str = ""


def sales() -> Sales:
    """The sales of the last DAYS days (UTC), today included. One query."""
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=DAYS - 1)
    rows = list(
        Order.objects.filter(id__gte=first_id(first))
        .order_by()
        .values("status", "currency", day=TruncDate("created_at"))
        .annotate(orders=Count("id"), amount=Sum("total"))
    )
    statuses = dict.fromkeys(Status, 0)
    revenue: dict[str, Decimal] = {}
    for row in rows:
        statuses[Status(row["status"])] += row["orders"]
        if row["status"] not in NO_REVENUE:
            revenue[row["currency"]] = revenue.get(row["currency"], Decimal(0)) + row["amount"]
    currency = max(revenue, key=lambda name: revenue[name], default="")
    dates = [(first + timedelta(days=number)).date() for number in range(DAYS)]
    orders_of, revenue_of = dict.fromkeys(dates, 0), dict.fromkeys(dates, Decimal(0))
    for row in rows:
        if (day := row["day"]) in orders_of:
            orders_of[day] += row["orders"]
            if row["status"] not in NO_REVENUE and row["currency"] == currency:
                revenue_of[day] += row["amount"]
    days = tuple(DaySales(date=date, orders=orders_of[date], revenue=revenue_of[date]) for date in dates)
    return Sales(days=days, statuses=statuses, revenue=revenue, currency=currency)


def open_orders() -> Mapping[Status, int]:
    """The number of orders in each status of OPEN, of any age. One query."""
    found = Order.objects.filter(status__in=OPEN).order_by().values_list("status").annotate(Count("id"))
    return dict.fromkeys(OPEN, 0) | {Status(status): count for status, count in found}


def long_pending() -> dict[str, str]:
    """The filter for orders that are pending for longer than LONG_WAIT."""
    return {"status": Status.PENDING, "id__lt": first_id(now() - LONG_WAIT)}


def long_pending_orders() -> LongPending:
    """Orders that are pending for longer than LONG_WAIT. Two queries."""
    found = Order.objects.filter(**long_pending())
    oldest = found.order_by("id").values_list("created_at", flat=True).first()
    return LongPending(orders=found.count(), age=age_text((now() - oldest).total_seconds()) if oldest else "")


def outbox_backlog() -> OutboxBacklog:
    """The events that the relay has not published yet. Two queries."""
    pending, seconds = DjangoOutbox().backlog()
    return OutboxBacklog(pending=pending, age=age_text(seconds), is_healthy=seconds < LATE_SECONDS)


def dead_events() -> int:
    """The number of events that Kafka refused. One query."""
    return OutboxDead.objects.count()


def catalogue_lag() -> CatalogueLag:
    """The lag of the replica of the catalogue, from the worker's last status."""
    try:
        part = latest_status(DjangoWorkerStatus())["parts"].get(CATALOGUE_GROUP, {})
    except CheckFailed as failed:
        return CatalogueLag(events=None, reason=str(failed))
    return CatalogueLag(events=part.get("lag"), reason="the worker does not know it yet")


def age_text(seconds: float) -> str:
    """A duration in its largest unit: 3 hours."""
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{int(seconds)} s"
