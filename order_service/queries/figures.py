"""The figures of the desk's first page, as plain dicts. Each query reads a range of an index, and nothing reads the whole table."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate

from libs.django_store.worker_status import DjangoWorkerStatus
from libs.runtime.health import CheckFailed, latest_status
from order_service.desk.orders.filters import long_pending
from order_service.events.topics import CATALOGUE_GROUP
from order_service.store.models import Order, OutboxDead, Status, first_id, now
from order_service.store.outbox import DjangoOutbox

DAYS = 30
LOST = (Status.REJECTED, Status.CANCELLED)  # brought nothing
OPEN = (Status.PENDING, Status.CONFIRMED, Status.SHIPPED)  # somebody has something to do
LATE_SECONDS = 60  # the relay publishes within a second; after a minute something is wrong


def sales() -> dict[str, Any]:
    """The last DAYS days, today included: `days`, a dict a day, `statuses`, `revenue` by currency, and the `currency` of the days.

    An amount counts unless the order was rejected or cancelled. Days are those of UTC. One query.
    """
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=DAYS - 1)
    dates = [(first + timedelta(days=number)).date() for number in range(DAYS)]
    rows = list(
        Order.objects.filter(id__gte=first_id(first))
        .order_by()
        .values("status", "currency", day=TruncDate("created_at"))
        .annotate(orders=Count("id"), amount=Sum("total"))
    )
    statuses = dict.fromkeys(map(str, Status), 0)
    revenue: dict[str, Decimal] = {}
    for row in rows:
        statuses[row["status"]] += row["orders"]
        if row["status"] not in LOST:
            revenue[row["currency"]] = revenue.get(row["currency"], Decimal(0)) + row["amount"]
    currency = max(revenue, key=lambda name: revenue[name], default="")
    days: dict[Any, dict[str, Any]] = {date: {"date": date, "orders": 0, "revenue": Decimal(0)} for date in dates}
    for row in rows:
        if day := days.get(row["day"]):
            day["orders"] += row["orders"]
            day["revenue"] += row["amount"] if row["status"] not in LOST and row["currency"] == currency else 0
    return {"days": list(days.values()), "statuses": statuses, "revenue": revenue, "currency": currency}


def open_orders() -> dict[str, int]:
    """How many orders have each status of OPEN, whenever they were placed. One query."""
    found = Order.objects.filter(status__in=OPEN).order_by().values_list("status").annotate(Count("id"))
    return dict.fromkeys(map(str, OPEN), 0) | dict(found)


def waiting_orders() -> dict[str, Any]:
    """Orders that are pending for too long: `orders`, and since when the oldest is. Two queries."""
    waiting = Order.objects.filter(**long_pending())
    oldest = waiting.order_by("id").values_list("created_at", flat=True).first()
    return {"orders": waiting.count(), "age": age_in_words((now() - oldest).total_seconds()) if oldest else ""}


def outbox_backlog() -> dict[str, Any]:
    """Events that wait for Kafka: `pending`, and how old the oldest is. Two queries."""
    pending, seconds = DjangoOutbox().backlog()
    return {"pending": pending, "age": age_in_words(seconds), "is_well": seconds < LATE_SECONDS}


def dead_events() -> int:
    """Events that Kafka will never take. One query."""
    return OutboxDead.objects.count()


def catalogue_lag() -> Mapping[str, Any]:
    """How many `events` the catalogue's replica is behind, as the worker said last; None and a `reason` where nobody knows."""
    try:
        part = latest_status(DjangoWorkerStatus())["parts"].get(CATALOGUE_GROUP, {})
    except CheckFailed as down:
        return {"events": None, "reason": str(down)}
    return {"events": part.get("lag"), "reason": "the worker has not been told yet"}


def age_in_words(seconds: float) -> str:
    """A duration as staff would say it."""
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{int(seconds)} s"
