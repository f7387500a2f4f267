"""Orders in the database: their rows, change records and events. A store counts an order's events in column `sequence`."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import F, QuerySet, Sum

from libs.access.caller import Caller
from libs.django_store.statements import as_stored, execute_all, insert
from libs.messaging.envelope import OutboxRow, repeatable_id
from libs.values.times import now
from order_service.domain.actor import Actor
from order_service.domain.order import Order, StatusChange
from order_service.domain.order_status import Status
from order_service.domain.settling import is_too_late
from order_service.events.published import MailResendRequested, OrderEvent, OrderPlaced, StockReleaseRequested
from order_service.store import models
from order_service.store.order_tables.order_rows import (
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
from order_service.store.requests import release_requests, reservation_requests

QUERY_TIMEOUT = 3024
"""MySQL's code for a time limit: the worker then stores fewer events at once."""


class TransactionTooLong(OperationalError):
    """A transaction took longer than MAX_TRANSACTION_AGE. It is rolled back; the request or event may be repeated."""


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
    columns = order_columns(order, events=len(events)) | {"request_id": rows[0].event_id}
    execute_all(
        [
            insert(models.Order, [columns]),
            insert(models.OrderLine, line_columns(order)),
            insert(models.OrderChange, [change | {"at": as_stored(order.updated_at)}]),
            outbox.insert_rows(rows),
            reservation_requests.insert_request(rows[0]),
        ]
    )
    require_in_time(order)
    return replace(order, version=len(events))


@transaction.atomic
def update(before: Order, after: Order, *events: OrderEvent, actor: Actor) -> Order | None:
    """Write an order's next status, its change record and its events. A cancellation is also kept as the release request.

    None when the order has another version by now, or lost its customer's data: read it again and decide again.
    """
    rows = _advance(before, after, *events)
    if rows is None:
        return None
    if after.status is Status.CANCELLED:
        release_requests.add(rows[0])
    if before.status is Status.PENDING:
        reservation_requests.delete([after.id])
    _record_change(before, after, actor)
    require_in_time(after)
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


def count_event(order_id: str) -> int | None:
    """Count an event that reports no change; return its number. None when there is no such order. In the caller's transaction."""
    one = models.Order.objects.filter(id=order_id)
    one.update(sequence=F("sequence") + 1)
    return one.values_list("sequence", flat=True).first()


@transaction.atomic
def request_releases_again(*, after: str, since: datetime | None, limit: int) -> list[str]:
    """Request the release of the stock of up to `limit` cancelled orders, by id; those that follow `after`. Return the ids.

    A request has the same event id each time. One that waits in the outbox already stays there once.
    """
    cancelled = models.Order.objects.filter(status=Status.CANCELLED, id__gt=after).order_by("id")
    if since:
        cancelled = cancelled.filter(updated_at__gte=since)
    rows = {row.id: row for row in cancelled.only("id", "sequence", "updated_at").select_for_update()[:limit]}
    event_ids = {repeatable_id(row.updated_at, StockReleaseRequested.topic, row.id): row for row in rows.values()}
    waiting = set(models.Outbox.objects.filter(event_id__in=event_ids).values_list("event_id", flat=True))
    for event_id, row in event_ids.items():
        if event_id not in waiting:
            event, sequence = StockReleaseRequested(order_id=row.id, delivered=False), row.sequence + 1
            outbox.add_again(event, aggregate_id=row.id, sequence=sequence, event_id=event_id)
    missing = [row.id for event_id, row in event_ids.items() if event_id not in waiting]
    models.Order.objects.filter(id__in=missing).update(sequence=F("sequence") + 1)
    return list(rows)


def request_reservation_again(order_id: str) -> bool:
    """Put the reservation request of an order into the outbox again, under its own event id.

    False when the id is not known: the order is older than column `request_id`, and its mail is not recorded.
    """
    order = find(order_id)
    request_id = models.Order.objects.filter(id=order_id).values_list("request_id", flat=True).first()
    mails = models.SentMail.objects.filter(order_id=order_id, kind=OrderPlaced.topic).values_list("event_id", flat=True)
    request_id = request_id or mails.first()
    if order is None or request_id is None:
        return False
    placed = order.at_change(StatusChange(before=None, after=Status.PENDING, reason=None, at=order.created_at))
    outbox.add_again(OrderPlaced.of(placed), aggregate_id=order.id, sequence=1, event_id=request_id)
    return True


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


def require_in_time(order: Order) -> None:
    """The last step of a transaction. Raises TransactionTooLong: a client that follows a list by time would miss the change."""
    if is_too_late(order.updated_at, now()):
        raise TransactionTooLong(QUERY_TIMEOUT)


def _record_change(before: Order, after: Order, actor: Actor) -> None:
    models.OrderChange.objects.create(**change_columns(before, after, actor))


def open_pieces(user_id: str) -> int:
    """How many pieces the pending and confirmed orders of an account have. In the transaction that holds the account's row."""
    lines = models.OrderLine.objects.filter(order__user_id=user_id, order__status__in=HOLDING)
    total: int | None = lines.aggregate(total=Sum("quantity"))["total"]
    return total or 0
