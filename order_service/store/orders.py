"""Orders in the database: their rows, change records and events. A store counts an order's events in column `sequence`."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from libs.access.caller import Caller
from libs.messaging.envelope import OutboxRow
from libs.values.money import Money
from libs.values.times import now
from order_service.domain.actor import Actor
from order_service.domain.order import Customer, Order, OrderLine, ShippingAddress, StatusChange
from order_service.domain.order_status import Status
from order_service.events.published import MailResendRequested, OrderEvent
from order_service.store import models, reservation_requests
from order_service.store.outbox import outbox

ORDER_COLUMNS = (
    *("id", "user_id", "user_email", "username", "status", "currency"),
    *("shipping_address", "reason", "created_at", "updated_at", "sequence"),
)
LINE_COLUMNS = ("product_id", "name", "quantity", "unit_price", "product_version")
ADDRESS_KEYS = {
    "name": "name",
    "line1": "line1",
    "line2": "line2",
    "city": "city",
    "postal_code": "postalCode",
    "country": "country",
}
"""The fields of an address, and their keys in column `shipping_address`."""
Row = Mapping[str, Any]


def visible_to(caller: Caller) -> QuerySet[models.Order]:
    """The rows of the orders that the caller may read: the caller's own, or all for viewers and staff."""
    orders = models.Order.objects.all()
    return orders if caller.has_role("viewer") else orders.filter(user_id=caller.user_id)


def find(order_id: str, *, caller: Caller | None = None) -> Order | None:
    """An order, in one query; None when there is none, or the caller may not read it."""
    lines = models.OrderLine.objects.filter(order_id=order_id)
    if caller and not caller.has_role("viewer"):
        lines = lines.filter(order__user_id=caller.user_id)
    rows = list(lines.values(*LINE_COLUMNS, *(f"order__{name}" for name in ORDER_COLUMNS)))
    if not rows:
        return None
    return _order({name: rows[0][f"order__{name}"] for name in ORDER_COLUMNS}, rows)


def read(found: QuerySet[models.Order]) -> list[Order]:
    """The orders of a query, in its order. One query, and one for their lines when there are any."""
    rows = list(found.values(*ORDER_COLUMNS))
    lines: dict[str, list[Row]] = {row["id"]: [] for row in rows}
    if rows:
        of_these = models.OrderLine.objects.filter(order_id__in=lines).order_by("position")
        for line in of_these.values("order_id", *LINE_COLUMNS):
            lines[line["order_id"]].append(line)
    return [_order(row, lines[row["id"]]) for row in rows]


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
    """Write a new order, its change record and its events. The first event is also kept as the reservation request."""
    models.Order.objects.create(**_columns(order), sequence=len(events))
    models.OrderLine.objects.bulk_create(_line_rows(order))
    _record_change(None, order, actor)
    reservation_requests.add(outbox.add(events, aggregate_id=order.id, first_sequence=1)[0])
    return replace(order, version=len(events))


@transaction.atomic
def update(before: Order, after: Order, *events: OrderEvent, actor: Actor) -> Order | None:
    """Write an order's next status, its change record and its events.

    None when the order has another version or another customer's e-mail by now: read it again and decide again.
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

    The guard names the e-mail too: an erasure publishes no event, so the counter does not show it.
    """
    unchanged = models.Order.objects.filter(
        id=before.id, sequence=before.version, user_email=before.customer.email or ""
    )
    changes = {"status": after.status, "reason": after.reason, "updated_at": after.updated_at}
    if not unchanged.update(**changes, sequence=before.version + len(events)):
        return None
    return outbox.add(events, aggregate_id=after.id, first_sequence=before.version + 1)


def _record_change(before: Order | None, after: Order, actor: Actor) -> None:
    models.OrderChange.objects.create(
        order_id=after.id,
        from_status=before.status if before else None,
        to_status=after.status,
        actor=str(actor),
        reason=after.reason,
        at=after.updated_at,
    )


def _order(row: Row, lines: Iterable[Row]) -> Order:
    currency, address = row["currency"], row["shipping_address"]
    return Order(
        id=row["id"],
        customer=Customer(user_id=row["user_id"], email=row["user_email"] or None, username=row["username"]),
        lines=tuple(
            OrderLine(
                product_id=line["product_id"],
                name=line["name"],
                quantity=line["quantity"],
                unit_price=Money.from_decimal(line["unit_price"], currency),
                product_version=line["product_version"],
            )
            for line in lines
        ),
        status=Status(row["status"]),
        shipping_address=address and ShippingAddress(**{name: address.get(key) for name, key in ADDRESS_KEYS.items()}),
        reason=row["reason"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["sequence"],
    )


def _columns(order: Order) -> dict[str, Any]:
    """The columns of an order's row, without the event counter."""
    return {
        "id": order.id,
        "user_id": order.customer.user_id,
        "user_email": order.customer.email or "",
        "username": order.customer.username,
        "status": order.status,
        "total": order.total.decimal,
        "currency": order.currency,
        "shipping_address": order.shipping_address and _address(order.shipping_address),
        "reason": order.reason,
        "created_at": order.created_at,
        "updated_at": order.updated_at,
    }


def _address(address: ShippingAddress) -> dict[str, str]:
    values = {key: getattr(address, name) for name, key in ADDRESS_KEYS.items()}
    return {key: value for key, value in values.items() if value is not None}


def _line_rows(order: Order) -> list[models.OrderLine]:
    return [
        models.OrderLine(
            order_id=order.id,
            position=position,
            product_id=line.product_id,
            name=line.name,
            quantity=line.quantity,
            unit_price=line.unit_price.decimal,
            line_total=line.total.decimal,
            product_version=line.product_version,
        )
        for position, line in enumerate(order.lines, start=1)
    ]
