"""The sales figures: orders and amounts by quarter of an hour, status and currency. docs/adr/0060.

A change of an order makes its period stale. The period is counted anew from the orders, by a range of the primary key. So a count
is right however often it is made, and whatever happened before.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby

from django.db import connection, transaction
from ulid import ULID

from order_service.domain.order_id import first_id
from order_service.domain.settling import SETTLING_TIME
from order_service.store.models import Order, SalesPeriod, SalesState

PERIOD = timedelta(minutes=15)  # In every time zone a day begins with a quarter of an hour of UTC.
KEPT = timedelta(days=32)  # The figures show 30 days in the shop's zone.
MAX_CHANGES = 5_000  # Changes of orders in a turn.
MAX_PERIODS = 96  # Earlier periods that are counted for the first time in a turn.
COUNT = f"""
INSERT INTO sales_periods (starts_at, status, currency, orders, amount)
SELECT '1970-01-01' + INTERVAL number * {PERIOD.seconds} SECOND, status, currency, COUNT(*), SUM(total) FROM (
  SELECT FLOOR(TIMESTAMPDIFF(SECOND, '1970-01-01', created_at) / {PERIOD.seconds}) AS number, status, currency, total
  FROM orders FORCE INDEX (PRIMARY) WHERE id >= %s AND id < %s
) AS placed GROUP BY number, status, currency
"""


@transaction.atomic
def count_changes(at: datetime) -> int:
    """Count the periods anew in which orders have changed until `at`, less the settling time, and some of those never counted.

    Returns how many changes and periods it has read; MAX_PERIODS or more mean that others are left. 0 while another worker counts.
    """
    horizon, oldest = at - SETTLING_TIME, period_of(at - KEPT)
    SalesState.objects.get_or_create(pk=1, defaults={"counted_until": horizon, "counted_from": period_of(at) + PERIOD})
    state = SalesState.objects.select_for_update(skip_locked=True).filter(pk=1).first()
    if state is None:
        return 0
    changed, until = _changed(state.counted_until, horizon)
    stale = {period for order_id in changed if (period := period_of(ULID.from_str(order_id).datetime)) >= oldest}
    earlier = [state.counted_from - PERIOD * number for number in range(1, MAX_PERIODS + 1)]
    earlier = [period for period in earlier if period >= oldest]
    _count(stale | set(earlier))
    SalesPeriod.objects.filter(starts_at__lt=oldest).delete()
    state.counted_until, state.counted_from = until, min([state.counted_from, *earlier])
    state.save()
    return max(len(changed), len(earlier))


def counted_until() -> datetime | None:
    """The time up to which all changes are counted. None while the first count is not complete."""
    state = SalesState.objects.filter(pk=1).first()
    return (
        state.counted_until if state and state.counted_from <= period_of(state.counted_until - KEPT) + PERIOD else None
    )


def period_of(moment: datetime) -> datetime:
    """The start of the period of a moment."""
    return datetime.fromtimestamp(moment.timestamp() // PERIOD.total_seconds() * PERIOD.total_seconds(), UTC)


def _changed(since: datetime, until: datetime) -> tuple[list[str], datetime]:
    """The ids of the orders whose last change is in this time, the earliest first, and up to when these are all."""
    found = Order.objects.filter(updated_at__gt=since, updated_at__lte=until).order_by("updated_at")
    rows = list(found.values_list("id", "updated_at")[:MAX_CHANGES])
    if len(rows) < MAX_CHANGES:
        return [order_id for order_id, _ in rows], max(since, until)
    last = rows[-1][1]  # a batch of orders has one time
    rows += Order.objects.filter(updated_at=last).values_list("id", "updated_at")
    return [order_id for order_id, _ in rows], last


def _count(periods: Collection[datetime]) -> None:
    SalesPeriod.objects.filter(starts_at__in=periods).delete()
    with connection.cursor() as cursor:
        for start, end in _runs(sorted(periods)):
            cursor.execute(COUNT, [first_id(start), first_id(end)])


def _runs(periods: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """The start and the end of periods that follow each other without a gap."""
    for _, run in groupby(enumerate(periods), lambda numbered: numbered[1] - PERIOD * numbered[0]):
        starts = [start for _, start in run]
        yield starts[0], starts[-1] + PERIOD
