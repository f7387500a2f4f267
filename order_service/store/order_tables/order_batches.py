"""Many orders in one transaction: their rows locked, and their next statuses written by a few statements."""

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection

from order_service.domain.actor import Actor
from order_service.domain.order import Order
from order_service.domain.order_status import Status
from order_service.events.published import EVENT_OF
from order_service.store import models
from order_service.store.order_tables.order_rows import (
    ACCOUNT_COLUMNS,
    LINE_COLUMNS,
    ORDER_COLUMNS,
    Row,
    to_order,
    to_rejection,
)
from order_service.store.order_tables.orders import require_in_time
from order_service.store.outbox import outbox
from order_service.store.requests import reservation_requests

UPDATE = """
UPDATE orders SET status = %s, reason = %s, updated_at = %s, sequence = sequence + 1{rejection} WHERE id IN %s
"""


class Decision(NamedTuple):
    """An order as it was read under its row's lock, and as it becomes. `trace`: of the reply that decided it."""

    before: Order
    after: Order
    trace: str


def lock(order_ids: Collection[str]) -> dict[str, Order]:
    """The orders with these ids, by id. Their rows are locked by the caller's transaction, in the order of their ids.

    An erasure of a customer waits for that, and then erases the events that the transaction writes. So the addresses may be read
    without a lock.
    """
    rows = models.Order.objects.filter(id__in=sorted(order_ids)).order_by("id").select_for_update()
    orders = {row["id"]: row for row in rows.values(*ORDER_COLUMNS)}
    of_orders: dict[str, list[Row]] = {order_id: [] for order_id in orders}
    if orders:
        columns = ("order_id", *LINE_COLUMNS, *(f"order__{name}" for name in ACCOUNT_COLUMNS))
        for line in models.OrderLine.objects.filter(order_id__in=list(orders)).order_by("position").values(*columns):
            of_orders[line["order_id"]].append(line)
    return {order_id: to_order(orders[order_id] | _account(lines), lines) for order_id, lines in of_orders.items()}


def decide(decisions: Sequence[Decision], *, actor: Actor) -> None:
    """Write the next statuses of pending orders that `lock` returned, decided at one time, with their changes and events.

    Raises TransactionTooLong.
    """
    if not decisions:
        return
    groups: dict[tuple[Status, str | None], list[Order]] = {}
    for _, after, _ in decisions:
        groups.setdefault((after.status, after.reason), []).append(after)
    for (status, reason), orders in groups.items():
        _write_status(status, reason, orders)
    reservation_requests.delete([after.id for _, after, _ in decisions])
    models.OrderChange.objects.bulk_create(
        models.OrderChange(
            order_id=after.id,
            from_status=before.status,
            to_status=after.status,
            actor=str(actor),
            reason=after.reason,
            at=after.updated_at,
        )
        for before, after, _ in decisions
    )
    outbox.add_all(
        [
            (EVENT_OF[after.status].of(after, before.status), after.id, before.version + 1, trace)
            for before, after, trace in decisions
        ]
    )
    require_in_time(decisions[0].after)


def _write_status(status: Status, reason: str | None, orders: Sequence[Order]) -> None:
    at = orders[0].updated_at.astimezone(UTC).replace(tzinfo=None)
    values: list[str | datetime | None] = [str(status), reason, at]
    rejection = ""
    if status is Status.REJECTED:
        rejection = ", rejection = CASE id" + " WHEN %s THEN %s" * len(orders) + " END"
        for order in orders:
            found = to_rejection(order)
            values += [order.id, None if found is None else json.dumps(found)]
    with connection.cursor() as cursor:
        cursor.execute(UPDATE.format(rejection=rejection), [*values, tuple(order.id for order in orders)])
        if cursor.rowcount != len(orders):
            raise RuntimeError("a locked order was not updated")


def _account(lines: Sequence[Row]) -> Row:
    return {name: line[f"order__{name}"] for line in lines[:1] for name in ACCOUNT_COLUMNS}
