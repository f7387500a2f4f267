"""Orders in the database: their rows, change records and events. A store counts an order's events in column `sequence`."""

from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models import QuerySet, Sum

from libs.access.caller import Caller
from libs.django_store.statements import as_stored, execute_all, insert
from libs.messaging.envelope import OutboxRow
from libs.values.times import now
from order_service.domain.actor import Actor
from order_service.domain.order import Order, StatusChange
from order_service.domain.order_status import Status
from order_service.events.published import MailResendRequested, OrderEvent
from order_service.store import models, reservation_requests
from order_service.store.order_rows import (
    ACCOUNT_COLUMNS,
    LINE_COLUMNS,
    ORDER_COLUMNS,
    Row,
    change_columns,
    line_columns,
    order_columns,
    to_order,
    to_rejection,
)
from order_service.store.outbox import outbox

HOLDING = (Status.PENDING, Status.CONFIRMED)
"""The statuses in which an order holds pieces that its customer may release."""


def visible_to(caller: Caller) -> QuerySet[models.Order]:
    """The rows of the orders that the caller may read: the caller's own, or all for viewers and staff."""
    orders = models.Order.objects.all()
    return orders if caller.has_role("viewer") else orders.filter(user_id=caller.user_id)


def find(order_id: str, *, caller: Caller | None = None) -> Order | None:
    """An order, in one query; None when there is none, or the caller may not read it.

    Its customer has the address that the account has now, as far as it is known.
    """
    lines = models.OrderLine.objects.filter(order_id=order_id)
    if caller and not caller.has_role("viewer"):
        lines = lines.filter(order__user_id=caller.user_id)
    columns = (*ORDER_COLUMNS, *ACCOUNT_COLUMNS)
    rows = list(lines.values(*LINE_COLUMNS, *(f"order__{name}" for name in columns)))
    if not rows:
        return None
    return to_order({name: rows[0][f"order__{name}"] for name in columns}, rows)


def read(found: QuerySet[models.Order]) -> list[Order]:
    """The orders of a query, in its order, with their own addresses. One query, and one for their lines when there are any."""
    rows = list(found.values(*ORDER_COLUMNS))
    lines: dict[str, list[Row]] = {row["id"]: [] for row in rows}
    if rows:
        of_these = models.OrderLine.objects.filter(order_id__in=lines).order_by("position")
        for line in of_these.values("order_id", *LINE_COLUMNS):
            lines[line["order_id"]].append(line)
    return [to_order(row, lines[row["id"]]) for row in rows]


def find_change(order_id: str, status: Status) -> StatusChange | None:
    """The change that gave the order this status."""
    row = models.OrderChange.objects.filter(order_id=order_id, to_status=status).first()
    if row is None:
        return None
    before = Status(row.from_status) if row.from_status else None
    return StatusChange(before=before, after=Status(row.to_status), reason=row.reason, at=row.at)


@transaction.atomic(
    savepoint=False
)  # may be part of a larger transaction (use_cases/idempotency.py), and fails with it
def add(order: Order, *events: OrderEvent, actor: Actor) -> Order:
    """Write a new order, its change record and its events, in one round trip.

    The first event is also kept as the reservation request.
    """
    rows = outbox.make_rows(events, aggregate_id=order.id, first_sequence=1)
    change = change_columns(None, order, actor)
    execute_all(
        [
            insert(models.Order, [order_columns(order, events=len(events))]),
            insert(models.OrderLine, line_columns(order)),
            insert(models.OrderChange, [change | {"at": as_stored(order.updated_at)}]),
            outbox.insert_rows(rows),
            reservation_requests.insert_request(rows[0]),
        ]
    )
    return replace(order, version=len(events))


@transaction.atomic
def update(before: Order, after: Order, *events: OrderEvent, actor: Actor) -> Order | None:
    """Write an order's next status, its change record and its events.

    None when the order has another version by now, or lost its customer's data: read it again and decide again.
    """
    if _advance(before, after, *events) is None:
        return None
    if before.status is Status.PENDING:
        reservation_requests.delete(after.id)
    _record_change(before, after, actor)
    return replace(after, version=before.version + len(events))


@transaction.atomic
def add_mail_request(order: Order, event: MailResendRequested, *, actor: Actor) -> Order | None:
    """Write a request to resend a mail, and its event. None as for `update`."""
    rows = _advance(order, order, event)
    if rows is None:
        return None
    models.MailRequest.objects.create(
        event_id=rows[0].event_id, order_id=order.id, kind=event.kind, actor=str(actor), at=now()
    )
    return replace(order, version=order.version + 1)


def _advance(before: Order, after: Order, *events: OrderEvent) -> list[OutboxRow] | None:
    """Write status and event counter in one guarded statement, then the events; None when the guard failed.

    The guard names what an erasure changes, too: it publishes no event, so the counter does not show it.
    """
    unchanged = models.Order.objects.filter(id=before.id, sequence=before.version, username=before.customer.username)
    if before.customer.address is not None:
        unchanged = unchanged.exclude(user_email="")
    changes: dict[str, Any] = {"status": after.status, "reason": after.reason, "updated_at": after.updated_at}
    if after.status is Status.REJECTED:
        changes["rejection"] = to_rejection(after)
    if not unchanged.update(**changes, sequence=before.version + len(events)):
        return None
    return outbox.add(events, aggregate_id=after.id, first_sequence=before.version + 1)


def _record_change(before: Order, after: Order, actor: Actor) -> None:
    models.OrderChange.objects.create(**change_columns(before, after, actor))


def open_pieces(user_id: str) -> int:
    """How many pieces the pending and confirmed orders of an account have. In the transaction that holds the account's row."""
    lines = models.OrderLine.objects.filter(order__user_id=user_id, order__status__in=HOLDING)
    total: int | None = lines.aggregate(total=Sum("quantity"))["total"]
    return total or 0
