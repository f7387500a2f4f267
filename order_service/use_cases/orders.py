"""What happens to orders. Every change and its event are one transaction; no request talks to Kafka."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from libs.access.caller import Caller
from libs.messaging.envelope import OutboxRow
from order_service.domain.errors import UnknownOrder
from order_service.domain.order_status import require_by_staff, require_legal
from order_service.events.published import EVENT_OF
from order_service.store.catalogue import Wanted, price_lines
from order_service.store.models import (
    IdempotencyKey,
    Order,
    OrderChange,
    OrderLine,
    OrderNote,
    PendingOrder,
    RawOrder,
    Status,
    new_id,
    now,
)
from order_service.store.orders import read_order
from order_service.store.outbox import forget_in_dead, store_event

FORGET_AT_ONCE = 500  # rows a statement: each has two seconds


def place_order(*, caller: Caller, wanted: Sequence[Wanted], shipping_address: Mapping[str, Any] | None) -> RawOrder:
    """Order at the catalogue's prices.

    Raises UnknownProduct, PriceChanged, MixedCurrencies, TotalTooLarge.
    """
    total, currency, lines = price_lines(wanted)
    moment = now()
    columns: RawOrder = {
        "id": new_id(moment),
        "user_id": caller.user_id,
        "user_email": caller.email,
        "username": caller.username,
        "status": Status.PENDING,
        "total": total,
        "currency": currency,
        "shipping_address": shipping_address,
        "reason": None,
        "sequence": 1,
        "created_at": moment,
        "updated_at": moment,
    }
    order = {**columns, "lines": lines}
    with transaction.atomic(savepoint=False):  # may be part of a larger one (idempotency.py), and fails with it
        Order.objects.create(**columns)
        OrderLine.objects.bulk_create(
            OrderLine(order_id=order["id"], position=number, **line) for number, line in enumerate(lines, start=1)
        )
        placed = _record(order, previous=None, actor=f"customer:{caller.user_id}")
        PendingOrder.objects.create(**asdict(placed))
    return order


def cancel_order(*, caller: Caller, order_id: str) -> RawOrder:
    """Cancel an order of the caller's, or any by staff. Raises UnknownOrder, NotAllowed, IllegalTransition."""
    order = _find(caller, order_id)
    if order["user_id"] == caller.user_id:
        return _move(order, Status.CANCELLED, caller, role="customer")
    caller.require("staff")
    return _move(order, Status.CANCELLED, caller, role="staff")


def set_status(*, caller: Caller, order_id: str, status: Status) -> RawOrder:
    """Move an order on, by staff. Raises NotAllowed, UnknownOrder, IllegalTransition."""
    caller.require("staff")
    order = _find(caller, order_id)
    require_by_staff(status)
    return _move(order, status, caller, role="staff")


def confirm_order(*, order_id: str) -> bool:
    """The stock is reserved: confirm the order if it is still pending; tell whether it was. Raises UnknownOrder."""
    return _decide(order_id, Status.CONFIRMED, None)


def reject_order(*, order_id: str, reason: str) -> bool:
    """The stock is not to be had: reject the order if it is still pending; tell whether it was. Raises UnknownOrder."""
    return _decide(order_id, Status.REJECTED, reason)


def time_out_order(*, order_id: str) -> bool:
    """The stock has not answered in time: cancel the order if it is still pending; tell whether it was. Raises UnknownOrder."""
    return _decide(order_id, Status.CANCELLED, "timeout")


def forget_customer(*, user_id: str) -> None:
    """Anonymise a deleted account's orders, and its place at the desk; again without harm. The orders themselves stay.

    Staff's notes on them may name anything of the customer, and go.
    """
    nobody = {"user_email": "", "username": f"gone-{user_id}", "shipping_address": None}
    known = Order.objects.filter(user_id=user_id).exclude(username=nobody["username"])
    while ids := list(known.values_list("id", flat=True)[:FORGET_AT_ONCE]):
        OrderNote.objects.filter(order_id__in=ids).delete()
        forget_in_dead(ids, f"gone-{user_id}")
        Order.objects.filter(id__in=ids).update(**nobody)  # last: those that are left are found by it
    OrderNote.objects.filter(author=f"staff:{user_id}").update(author_name="")
    IdempotencyKey.objects.filter(user_id=user_id).delete()  # the answers hold addresses
    User.objects.filter(username=user_id).update(email="", first_name="", is_active=False, is_staff=False)


def _find(caller: Caller, order_id: str) -> RawOrder:
    if not (order := read_order(order_id, caller)):
        raise UnknownOrder
    return order


def _move(order: RawOrder, to: Status, caller: Caller, *, role: str) -> RawOrder:
    reason = f"cancelled_by_{role}" if to is Status.CANCELLED else None
    # A turn of the loop is lost when another event of the order came first. Transitions end, for transitions.py has no circle.
    while True:
        require_legal(order["status"], to)
        if moved := _try_move(order, to, f"{role}:{caller.user_id}", reason):
            return moved
        order = _find(caller, order["id"])


def _decide(order_id: str, to: Status, reason: str | None) -> bool:
    """What nobody calls for but the saga: a pending order gets its fate, any other one has it already."""
    while order := read_order(order_id):
        if order["status"] != Status.PENDING:
            return False
        if _try_move(order, to, "saga", reason):
            return True
        # It may still be pending: a request for a mail raises the counter too.
    raise UnknownOrder


@transaction.atomic
def _try_move(order: RawOrder, to: Status, actor: str, reason: str | None) -> RawOrder | None:
    """Change the status and raise the event counter in one guarded statement; None when the order has changed meanwhile."""
    changes = {"status": to, "reason": reason, "sequence": order["sequence"] + 1, "updated_at": now()}
    unchanged = Order.objects.filter(id=order["id"], status=order["status"], sequence=order["sequence"])
    if not unchanged.update(**changes):
        return None
    moved = order | changes
    if order["status"] == Status.PENDING:
        PendingOrder.objects.filter(aggregate_id=order["id"]).delete()
    _record(moved, previous=order["status"], actor=actor)
    return moved


def _record(order: RawOrder, *, previous: str | None, actor: str) -> OutboxRow:
    """Write the transition down and store its event; return the event's row."""
    OrderChange.objects.create(
        order_id=order["id"],
        from_status=previous,
        to_status=order["status"],
        actor=actor,
        reason=order["reason"],
        at=order["updated_at"],
    )
    return store_event(EVENT_OF[order["status"]].of(order, previous), order["sequence"])
