"""Erasing personal data from what is kept of orders: events, notes and stored responses. The orders are erased first."""

from collections.abc import Collection
from typing import Any

import orjson

from order_service.domain.customer import erased_name
from order_service.store.models import Order, OrderNote, Outbox, OutboxDead, ReleaseRequest, ReservationRequest
from order_service.store.order_tables.idempotency_keys import delete_of_orders

EVENT_TABLES = (ReservationRequest, ReleaseRequest, Outbox, OutboxDead)


def erase_orders(user_id: str, order_ids: Collection[str]) -> None:
    """Erase the customer from these orders, and from all that is kept with them. A repeated call changes nothing."""
    # First: a transition writes its event in the transaction of its order's row. The update waits for it, so its event is found.
    Order.objects.filter(id__in=order_ids).update(
        user_email="", email_verified=None, email_at=None, username=erased_name(user_id), shipping_address=None
    )
    OrderNote.objects.filter(order_id__in=order_ids).delete()
    delete_of_orders(order_ids)
    _erase_events(user_id, order_ids)


def _erase_events(user_id: str, order_ids: Collection[str]) -> None:
    """Erase the customer from the orders' events, until one statement finds no personal data in any table of events.

    Events move between the tables at the same time. A move locks the row that it copies, so an update waits for it and finds
    nothing. The next round finds the row in its new table.
    """
    name = erased_name(user_id)
    while events := [(event_id, erased) for event_id, erased in _erased_events(name, order_ids) if erased]:
        for event_id, payload in events:
            for table in EVENT_TABLES:
                table.objects.filter(event_id=event_id).update(payload=payload)


def _erased_events(name: str, order_ids: Collection[str]) -> list[tuple[str, str]]:
    """The id of each event of these orders, and its payload without personal data; "" when it has none."""
    first, *others = [
        table.objects.filter(aggregate_id__in=order_ids).values_list("event_id", "payload") for table in EVENT_TABLES
    ]
    return [(event_id, _without_customer(payload, name)) for event_id, payload in first.union(*others, all=True)]


def _without_customer(payload: str, name: str) -> str:
    data: dict[str, Any] = orjson.loads(payload)
    if data.get("userEmail") is None and data.get("username", name) == name:
        return ""
    return orjson.dumps(data | {"userEmail": None, "username": name}).decode()
