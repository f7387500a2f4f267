"""Reservations in MongoDB, each with the last reply to its order."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import orjson
from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from libs.messaging.envelope import EventData, OutboxRow, new_row
from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.transactions import in_transaction
from libs.mongo_store.validation import validate_changes, validate_document
from libs.values.money import Money
from libs.values.times import now
from product_service.domain.reservation import (
    CurrentPrice,
    Release,
    Reply,
    RequestedItem,
    Reservation,
    Shortage,
    Status,
)
from product_service.events.published import SOURCE, StockReleased
from product_service.store import documents

# An event that comes again must find the decision. order-placed stays in its topic for 7 days, up to 14 until its segment is
# deleted, and 30 days more as a dead letter that may be replayed.
RETENTION = timedelta(days=60)

IN_FORCE = {"state": Status.RESERVED, "closed_at": None}
"""The filter of the reservations that hold items, and whose orders are not delivered."""

T = TypeVar("T")


class AlreadyDecided(Exception):
    """The order has a reservation."""


def transact(work: Callable[[ClientSession], T]) -> T:
    """Run `work(transaction)` in one transaction, again after a write conflict."""
    return in_transaction(documents.db(), work)


def find(order_id: str, *, currency: str, transaction: ClientSession) -> Reservation | None:
    """The reservation of an order."""
    row = documents.reservations().find_one({"_id": order_id}, session=transaction)
    return row and from_document(row, currency)


def add(reservation: Reservation, reply: EventData, *, transaction: ClientSession) -> None:
    """Insert a new reservation and its reply. The row of the reply is kept, so that it can be sent again as it was.

    Raises AlreadyDecided.
    """
    row = _new_row(reservation, reply)
    fields = validate_document(documents.Reservation, {**to_document(reservation), "answer": vars(row)})
    try:
        documents.reservations().insert_one(fields, session=transaction)
    except DuplicateKeyError:
        raise AlreadyDecided from None
    _store_reply(row, transaction)


def update(before: Reservation, after: Reservation, reply: EventData, *, transaction: ClientSession) -> None:
    """Write the status of `after`, which was read as `before` in the same transaction. Its reply replaces the earlier one."""
    row = _new_row(before, reply)
    changes = {"state": after.status, "closed_at": after.closed_at, "answer": vars(row)}
    change = {"$set": validate_changes(documents.Reservation, changes)}
    expected = {"_id": before.order_id, "state": before.status}
    if not documents.reservations().update_one(expected, change, session=transaction).matched_count:
        raise RuntimeError("the reservation is not what this transaction read")  # the snapshot rules it out
    _store_reply(row, transaction)


def close(order_id: str, *, at: datetime) -> None:
    """Close a reservation that is in force, at its delivery."""
    change = {"$set": validate_changes(documents.Reservation, {"closed_at": at})}
    documents.reservations().update_one({"_id": order_id, **IN_FORCE}, change)


def find_in_force(*, after: str | None, limit: int, currency: str, transaction: ClientSession) -> list[Reservation]:
    """Up to `limit` reservations in force, by order id; those that follow `after`."""
    which = {**IN_FORCE, **({"_id": {"$gt": after}} if after else {})}
    found = documents.reservations().find(which, session=transaction).sort("_id", 1).limit(limit)
    return [from_document(row, currency) for row in found]


def resend_reply(order_id: str) -> None:
    """Store the last reply to an order again, with the same event id, sequence and payload."""
    found = documents.reservations().find_one({"_id": order_id}, {"answer": 1})
    if found and (answer := found.get("answer")):
        row = OutboxRow(**{**answer, "created_at": now()})
        with suppress(DuplicateKeyError):  # the relay has not published it yet
            transact(partial(_store_reply, row))


def purge_closed() -> int:
    """Delete reservations that were closed RETENTION ago; return their number.

    One that is RESERVED stays, as its movements do: its order may be cancelled at any time and then gives the stock back.
    """
    return int(documents.reservations().delete_many({"closed_at": {"$lt": now() - RETENTION}}).deleted_count)


def from_document(row: Mapping[str, Any], currency: str) -> Reservation:
    """A reservation from its document. `currency`: the shop's, for prices without one.

    Earlier versions deleted the answer of a released reservation and wrote no other one.
    """
    answer = row.get("answer")
    return Reservation(
        order_id=row["_id"],
        status=Status(row["state"]),
        items=tuple(
            RequestedItem(
                product_id=str(item["product"]),
                quantity=item["quantity"],
                unit_price=Money(item["price_minor"], item.get("currency", currency)),
            )
            for item in row["items"]
        ),
        reply=_reply_of(answer, _currency_of(row, currency)) if answer else None,
        created_at=row["created_at"],
        closed_at=row.get("closed_at"),
        event_count=answer["sequence"] if answer else min(1, len(row["items"])),
    )


def to_document(reservation: Reservation) -> dict[str, Any]:
    """All fields of a reservation's document but `answer`, which is the outbox row of its last reply."""
    return {
        "_id": reservation.order_id,
        "state": reservation.status,
        "items": [
            {
                "product": ObjectId(item.product_id),
                "quantity": item.quantity,
                "price_minor": item.unit_price.minor,
                "currency": item.unit_price.currency,
            }
            for item in reservation.items
        ],
        "created_at": reservation.created_at,
        "closed_at": reservation.closed_at,
    }


def _currency_of(row: Mapping[str, Any], currency: str) -> str:
    """An order has one currency."""
    return next((str(item["currency"]) for item in row["items"] if "currency" in item), currency)


def _reply_of(answer: Mapping[str, Any], currency: str) -> Reply | Release:
    payload = orjson.loads(answer["payload"])
    if answer["topic"] == StockReleased.topic:
        return Release(pieces=tuple((item["productId"], item["quantity"]) for item in payload["items"]))
    return Reply(
        reason=payload["reason"],
        shortages=tuple(
            Shortage(
                product_id=short["productId"],
                requested=short["wanted"],
                available=short["available"],
                withdrawn=short.get("reason") == "withdrawn",
            )
            for short in payload["shortages"]
        ),
        prices=tuple(
            CurrentPrice(product_id=current["productId"], price=Money.parse(current["price"], currency))
            for current in payload.get("prices", [])
        ),
    )


def _new_row(reservation: Reservation, reply: EventData) -> OutboxRow:
    """The row of the next reply."""
    sequence = reservation.event_count + 1
    return new_row(reply, source=SOURCE, aggregate_id=reservation.order_id, sequence=sequence)


def _store_reply(row: OutboxRow, transaction: ClientSession) -> None:
    MongoOutbox(documents.db()).add(row, transaction)
