"""The figures of the desk's first page. Each query reads a bounded range of an index.

The worker counts the sales (store/sales.py). Other counts end at MAX_COUNTED.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal

from django.db.models import Case, QuerySet, Sum, Value, When

from libs.runtime.health import CheckFailed, latest_status
from libs.values.time_zone import start_of_day
from libs.values.times import now
from order_service.domain.order_id import first_id
from order_service.domain.order_status import Status
from order_service.events.topics import CATALOGUE_GROUP
from order_service.store import sales as stored_sales
from order_service.store.models import Order, OutboxDead, SalesPeriod
from order_service.store.outbox import outbox
from order_service.store.worker_tables import worker_status

DAYS = 30
WITHOUT_REVENUE = (Status.REJECTED, Status.CANCELLED)
OPEN = (Status.PENDING, Status.CONFIRMED, Status.SHIPPED)  # statuses that another one follows
LATE_SECONDS = 60  # the relay publishes within a second; an event that is a minute old shows a fault
LONG_PENDING = timedelta(minutes=5)
MAX_COUNTED = 10_000  # orders; a count that is as high means: as many or more


@dataclass(slots=True, kw_only=True)
class DaySales:
    """The sales of a day. `revenue`: in the currency of Sales."""

    date: date
    orders: int = 0
    revenue: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sales:
    """The last DAYS days, today included. `revenue`: by currency. `currency`: the one with the largest revenue, or empty.

    `until`: changes up to this time are counted. None: the worker has not counted everything yet.
    """

    days: list[DaySales]
    statuses: dict[Status, int]
    revenue: dict[str, Decimal]
    currency: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LongPending:
    """Orders that are pending for longer than LONG_PENDING. `age`: of the oldest, in words, or empty."""

    orders: int
    age: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxBacklog:
    """Events that wait for Kafka. `age`: of the oldest, in words."""

    pending: int
    age: str
    is_healthy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueLag:
    """How many `events` the replica of the catalogue is behind; None and a `reason` when that is unknown."""

    events: int | None
    reason: str


def sales(zone: tzinfo = UTC) -> Sales:
    """The sales of the last DAYS days in a time zone. The amounts exclude rejected and cancelled orders. Two queries.

    The query compares times with the starts of the days. MySQL could convert them only with a table of time zones.
    """
    today = now().astimezone(zone).date()
    dates = [today - timedelta(days=back) for back in range(DAYS)]
    starts = [start_of_day(day, zone) for day in dates]
    day_number = Case(*(When(starts_at__gte=start, then=Value(back)) for back, start in enumerate(starts)))
    counted = SalesPeriod.objects.filter(starts_at__gte=starts[-1]).order_by()
    rows = list(
        counted.values("status", "currency", back=day_number).annotate(count=Sum("orders"), value=Sum("amount"))
    )
    statuses = dict.fromkeys(Status, 0)
    revenue: dict[str, Decimal] = {}
    for row in rows:
        statuses[Status(row["status"])] += row["count"]
        if row["status"] not in WITHOUT_REVENUE:
            revenue[row["currency"]] = revenue.get(row["currency"], Decimal(0)) + row["value"]
    currency = max(revenue, key=lambda name: revenue[name], default="")
    days = [DaySales(date=day) for day in dates]
    for row in rows:
        if row["back"] is not None:
            day = days[row["back"]]
            day.orders += row["count"]
            if row["status"] not in WITHOUT_REVENUE and row["currency"] == currency:
                day.revenue += row["value"]
    return Sales(
        days=days[::-1], statuses=statuses, revenue=revenue, currency=currency, until=stored_sales.counted_until()
    )


def open_orders() -> dict[str, int]:
    """How many orders have each status of OPEN, of any age. Three queries."""
    return {str(status): _count(Order.objects.filter(status=status)) for status in OPEN}


def long_pending() -> dict[str, str]:
    """The filter for orders that are pending for longer than LONG_PENDING."""
    return {"status": Status.PENDING, "id__lt": first_id(now() - LONG_PENDING)}


def long_pending_orders() -> LongPending:
    """The orders that are pending for too long. Two queries."""
    found = Order.objects.filter(**long_pending())
    oldest = found.order_by("id").values_list("created_at", flat=True).first()
    age = age_in_words((now() - oldest).total_seconds()) if oldest else ""
    return LongPending(orders=_count(found), age=age)


def oldest_pending_seconds() -> float:
    """The age of the oldest pending order; 0 when there is none. One query."""
    pending = Order.objects.filter(status=Status.PENDING).order_by("id")
    oldest = pending.values_list("created_at", flat=True).first()
    return max(0.0, (now() - oldest).total_seconds()) if oldest else 0.0


def outbox_backlog() -> OutboxBacklog:
    """The events that wait for Kafka. Two queries."""
    pending, seconds = outbox.backlog()
    return OutboxBacklog(pending=pending, age=age_in_words(seconds), is_healthy=seconds < LATE_SECONDS)


def dead_events() -> int:
    """The number of events that Kafka refused for good. One query."""
    return OutboxDead.objects.count()


def _count(found: QuerySet[Order]) -> int:
    """The number of these orders, at most MAX_COUNTED."""
    return found.order_by().values("pk")[:MAX_COUNTED].count()


def catalogue_lag() -> CatalogueLag:
    """The lag that the worker reported last. One query."""
    try:
        consumer = latest_status(worker_status)["parts"].get(CATALOGUE_GROUP, {})
    except CheckFailed as failed:
        return CatalogueLag(events=None, reason=str(failed))
    return CatalogueLag(events=consumer.get("lag"), reason="the worker has reported no lag yet")


def age_in_words(seconds: float) -> str:
    """A duration in its largest unit, such as `3 hours`."""
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{int(seconds)} s"
