"""Reservations in MongoDB, each with the last reply to its order."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar

import orjson
from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from libs.messaging.envelope import OutboxRow, new_row
from libs.mongo_store.connection import Bson
from libs.mongo_store.inserts import insert
from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.transactions import in_transaction
from libs.mongo_store.validation import validate_changes, validate_document
from libs.values.money import Money
from libs.values.times import now
from product_service.domain.order_batch import Decision
from product_service.domain.reservation import (
    CurrentPrice,
    Release,
    Reply,
    RequestedItem,
    Reservation,
    Shortage,
    Status,
)
from product_service.events.published import SOURCE, StockReleased, StockReply
from product_service.store import documents

IN_FORCE = {"state": Status.RESERVED, "closed_at": None}
"""The filter of the reservations that hold items, and whose orders are not delivered."""
T = TypeVar("T")


class Overtaken(Exception):
    """Another member of the group decided one of these orders at the same time: read again and decide again."""


def transact(work: Callable[[ClientSession], T]) -> T:
    """Run `work(transaction)` in one transaction, again after a write conflict."""
    return in_transaction(documents.db(), work)


def find_many(order_ids: Collection[str], *, currency: str, transaction: ClientSession) -> dict[str, Reservation]:
    """The reservations of these orders, by order."""
    rows = documents.reservations().find({"_id": {"$in": sorted(order_ids)}}, session=transaction)
    return {row["_id"]: from_bson(row, currency) for row in rows}


def held_by(reservations: Iterable[Reservation]) -> dict[str, set[str]]:
    """Of each of these orders: the products of which it holds pieces."""
    return {one.order_id: {item.product_id for item in one.items} if one.is_in_force else set() for one in reservations}


def write(decisions: Sequence[Decision], transaction: ClientSession) -> None:
    """Write the reservations as they are after these decisions, and the replies. A repeated reply is stored as it was.

    The row of an order's last reply is kept, so that it can be sent again. Raises Overtaken.
    """
    rows = [_new_row(decision.after, decision.trace) for decision in decisions if decision.has_new_reply]
    last = {row.aggregate_id: row for row in rows}
    stored = {decision.after.order_id: decision.before for decision in reversed(decisions)}
    after = {decision.after.order_id: decision.after for decision in decisions}
    inserts = [
        validate_document(documents.Reservation, {**to_bson(after[order_id]), "answer": vars(row)})
        for order_id, row in last.items()
        if stored[order_id] is None
    ]
    updates = [
        _update(before, after[order_id], last.get(order_id))
        for order_id, before in stored.items()
        if before and before != after[order_id]
    ]
    repeated = _repeated(
        [d.after.order_id for d in decisions if d.is_repetition and d.after is stored[d.after.order_id]], transaction
    )
    if inserts:
        try:
            insert(documents.reservations(), inserts, transaction)
        except DuplicateKeyError:
            raise Overtaken from None
    if updates and documents.reservations().bulk_write(updates, session=transaction).matched_count != len(updates):
        raise RuntimeError("a reservation is not what this transaction read")  # the snapshot rules it out
    MongoOutbox(documents.db()).add_all([*repeated, *rows], transaction)


def find_in_force(*, after: str | None, limit: int, currency: str, transaction: ClientSession) -> list[Reservation]:
    """Up to `limit` reservations in force, by order id; those that follow `after`."""
    which = {**IN_FORCE, **({"_id": {"$gt": after}} if after else {})}
    found = documents.reservations().find(which, session=transaction).sort("_id", 1).limit(limit)
    return [from_bson(row, currency) for row in found.hint("in_force")]


def from_bson(row: Bson, currency: str) -> Reservation:
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


def to_bson(reservation: Reservation) -> dict[str, Any]:
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


def _currency_of(row: Bson, currency: str) -> str:
    """An order has one currency."""
    return next((str(item["currency"]) for item in row["items"] if "currency" in item), currency)


def _reply_of(answer: Bson, currency: str) -> Reply | Release:
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


def _new_row(after: Reservation, trace: str) -> OutboxRow:
    """The row of its last reply, in the trace of the request."""
    reply = StockReleased.of(after) if isinstance(after.reply, Release) else StockReply.of(after)
    return new_row(reply, source=SOURCE, aggregate_id=after.order_id, sequence=after.event_count, traceparent=trace)


def _update(before: Reservation, after: Reservation, row: OutboxRow | None) -> UpdateOne:
    """The change of a stored reservation. A new reply replaces the earlier one."""
    changes: dict[str, Any] = {"state": after.status, "closed_at": after.closed_at}
    if row:
        changes["answer"] = vars(row)
    expected = {"_id": before.order_id, "state": before.status}
    return UpdateOne(expected, {"$set": validate_changes(documents.Reservation, changes)})


def _repeated(order_ids: Collection[str], transaction: ClientSession) -> list[OutboxRow]:
    """The stored replies of these orders, with the same event id, sequence and payload, but those that wait in the outbox."""
    if not order_ids:
        return []
    which = {"_id": {"$in": sorted(set(order_ids))}, "answer": {"$exists": True}}
    found = documents.reservations().find(which, {"answer": 1}, session=transaction)
    rows = [OutboxRow(**{**row["answer"], "created_at": now()}) for row in found]
    waiting = MongoOutbox(documents.db()).waiting([row.event_id for row in rows], transaction)
    return [row for row in rows if row.event_id not in waiting]
