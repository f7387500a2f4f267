"""The differences between orders and reservations, and how far the present round of comparisons has come."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from django.db.models import F, QuerySet

from libs.django_store.statements import as_stored, fetch_all
from libs.values.times import now
from order_service.domain.order_status import Status
from order_service.domain.reconciliation import ComparedOrder, Difference, HeldPage, Kind
from order_service.store import models

BATCH_SIZE = 500  # orders per query
NEEDS_STOCK = (Status.CONFIRMED, Status.SHIPPED)
# One status at a time: by the index of both the server would sort, and by ids it would read all that were delivered.
OF_STATUS = """
SELECT id, updated_at FROM orders FORCE INDEX (orders_of_status)
WHERE status = %s AND id > %s AND id <= %s ORDER BY id LIMIT %s
"""
LAST_ID = "Z"  # no id begins with a letter so high
COLUMNS = ("kind", "status", "ordered", "held")


def begin_page(page: HeldPage) -> bool:
    """Note in the caller's transaction that a page is compared. False when a later one was compared before."""
    state = models.ReconciliationState.objects.select_for_update().filter(pk=1).first()
    if state and page.as_of < state.as_of:
        return False
    follows = state is not None and state.is_whole and (state.round, state.until) == (page.round, page.after)
    is_whole = page.after is None or follows
    is_end = is_whole and page.until is None
    columns = {"round": page.round, "until": page.until, "is_whole": is_whole, "as_of": page.as_of}
    checked_at = page.as_of if is_end else state.checked_at if state else None
    models.ReconciliationState.objects.update_or_create(pk=1, defaults={**columns, "checked_at": checked_at})
    return True


def existing(order_ids: Collection[str]) -> set[str]:
    """Those of these orders that exist."""
    return set(models.Order.objects.filter(id__in=order_ids).values_list("id", flat=True))


def settled(order_ids: Collection[str], until: datetime) -> list[ComparedOrder]:
    """Those of these orders that have not changed since `until`."""
    return _compared(models.Order.objects.filter(id__in=order_ids, updated_at__lte=until))


def in_need(page: HeldPage, until: datetime) -> Iterator[ComparedOrder]:
    """The confirmed and shipped orders in the range of a page that are not in it, and have not changed since `until`."""
    for status in NEEDS_STOCK:
        last = page.after or ""
        while batch := fetch_all(OF_STATUS, [status.value, last, page.until or LAST_ID, BATCH_SIZE]):
            last = batch[-1][0]
            missing = [order_id for order_id, at in batch if at <= as_stored(until) and order_id not in page.held]
            yield from settled(missing, until) if missing else ()


def replace(page: HeldPage, found: Sequence[Difference]) -> None:
    """Store the differences in the range of a page, in place of those that were found there before."""
    ids = [difference.order_id for difference in found]
    models.StockDifference.objects.filter(**_range("order_id", page)).exclude(order_id__in=ids).delete()
    rows = [
        models.StockDifference(
            order_id=difference.order_id,
            kind=difference.kind,
            status=difference.status,
            ordered=dict(difference.ordered),
            held=dict(difference.held),
            found_at=now(),
        )
        for difference in found
    ]
    models.StockDifference.objects.bulk_create(
        rows, update_conflicts=True, update_fields=COLUMNS, batch_size=BATCH_SIZE
    )


def differences() -> list[Difference]:
    """All differences, by order id."""
    return [
        Difference(
            order_id=row.order_id,
            kind=Kind(row.kind),
            status=Status(row.status) if row.status else None,
            ordered=row.ordered,
            held=row.held,
        )
        for row in models.StockDifference.objects.order_by("order_id")
    ]


def count_request(order_id: str) -> int:
    """Note that product_service is asked to repair a difference. Return how often it was asked."""
    row = models.StockDifference.objects.filter(order_id=order_id)
    row.update(asks=F("asks") + 1)
    return row.values_list("asks", flat=True).first() or 1


def checked_at() -> datetime | None:
    """The moment of which the last complete round of comparisons was."""
    return models.ReconciliationState.objects.filter(pk=1).values_list("checked_at", flat=True).first()


def count() -> int:
    """The number of differences."""
    return models.StockDifference.objects.count()


def _range(column: str, page: HeldPage) -> dict[str, str]:
    bounds = {f"{column}__gt": page.after, f"{column}__lte": page.until}
    return {name: value for name, value in bounds.items() if value is not None}


def _compared(orders: QuerySet[models.Order]) -> list[ComparedOrder]:
    statuses = dict(orders.values_list("id", "status"))
    pieces: dict[str, dict[str, int]] = {order_id: {} for order_id in statuses}
    lines = models.OrderLine.objects.filter(order_id__in=statuses) if statuses else models.OrderLine.objects.none()
    for order_id, product_id, quantity in lines.values_list("order_id", "product_id", "quantity"):
        pieces[order_id][product_id] = pieces[order_id].get(product_id, 0) + quantity
    return [
        ComparedOrder(id=order_id, status=Status(status), pieces=pieces[order_id])
        for order_id, status in statuses.items()
    ]
