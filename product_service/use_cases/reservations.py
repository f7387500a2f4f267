"""What orders do to the stock: an order gets all of its lines or none, once, and gives them back once.

The order's id is the key of its reservation, so an event that comes again finds what was decided. Decision, stock, movements and
answer are one transaction. Only order_service decides what becomes of an order: nothing here expires alone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from libs.messaging.envelope import OutboxRow
from libs.mongo_store.transactions import in_transaction
from libs.values.money import parse_money
from libs.values.times import now
from product_service.domain.price_history import was_price
from product_service.domain.reservation import State
from product_service.events.consumed import OrderLine
from product_service.events.published import Shortage, StockAnswer, StockItem, StockRejected, StockReserved
from product_service.store.documents import Product, RawProduct, movements, products, reservations
from product_service.store.outbox import answer_row, store_answer

SEEN = {"stock": 1, "price_minor": 1, "price_log": 1}

Pieces = Mapping[ObjectId, int]


def reserve_stock(*, order_id: str, lines: Sequence[OrderLine], placed_at: datetime) -> None:
    """Set all lines aside, or reject the order; answer it. One that was decided before gets its answer again, if it has one."""
    try:
        in_transaction(Product._get_db(), partial(_decide, order_id, lines, placed_at))
    except DuplicateKeyError:
        known = reservations().find_one({"_id": order_id}, {"answer": 1})
        if known is None:
            raise  # some other key: a bug
        if answer := known.get("answer"):
            _answer_again(answer)


def release_stock(*, order_id: str) -> None:
    """Give back what the order has, and leave a mark if it has not come yet: it shall get nothing then."""
    in_transaction(Product._get_db(), partial(_release, order_id))


def pieces_of(items: Iterable[Mapping[str, Any]]) -> Pieces:
    """How many pieces of each product a reservation's items are, in the order of the products' ids."""
    pieces: Counter[ObjectId] = Counter()
    for item in items:
        pieces[item["product"]] += item["quantity"]
    return dict(sorted(pieces.items()))


def _decide(order_id: str, lines: Sequence[OrderLine], placed_at: datetime, session: ClientSession) -> None:
    """The transaction reads one snapshot, and commits only if nothing that it writes has changed since."""
    items = [
        {"product": ObjectId(line.product_id), "quantity": line.quantity, "price_minor": parse_money(line.unit_price)}
        for line in lines
    ]
    wanted = pieces_of(items)
    on_sale = products().find({"_id": {"$in": list(wanted)}, "active": True}, SEEN, session=session)
    answer = _judge(order_id, lines, items, {product["_id"]: product for product in on_sale}, placed_at)
    row = answer_row(answer)
    reservation = {"_id": order_id, "items": items, "created_at": now(), "answer": vars(row)}
    if isinstance(answer, StockReserved):
        reservations().insert_one(reservation | {"state": State.RESERVED}, session=session)
        _move({product: -quantity for product, quantity in wanted.items()}, "reserved", order_id, session)
    else:
        reservations().insert_one(reservation | {"state": State.REJECTED, "closed_at": now()}, session=session)
    store_answer(row, session)


def _judge(
    order_id: str,
    lines: Sequence[OrderLine],
    items: Sequence[Mapping[str, Any]],
    on_sale: Mapping[ObjectId, RawProduct],
    placed_at: datetime,
) -> StockAnswer:
    """What the order is told. Of a product that is not on sale there is none."""
    asked = [StockItem(**line.model_dump()) for line in lines]
    stock = {product: found["stock"] for product, found in on_sale.items()}
    shortages = [
        Shortage(product_id=str(product), wanted=quantity, available=stock.get(product, 0))
        for product, quantity in pieces_of(items).items()
        if stock.get(product, 0) < quantity
    ]
    if shortages:
        return StockRejected(order_id=order_id, items=asked, reason="out_of_stock", shortages=shortages)
    if not all(was_price(on_sale[item["product"]], item["price_minor"], placed_at) for item in items):
        return StockRejected(order_id=order_id, items=asked, reason="price_changed")
    return StockReserved(order_id=order_id, items=asked)


def _release(order_id: str, session: ClientSession) -> None:
    found: RawProduct | None = reservations().find_one({"_id": order_id}, session=session)
    closed = {"state": State.RELEASED, "closed_at": now()}
    if found is None:
        reservations().insert_one({"_id": order_id, "items": [], "created_at": now(), **closed}, session=session)
    elif found["state"] == State.RESERVED:
        which = {"_id": order_id, "state": State.RESERVED}
        reservations().update_one(which, {"$set": closed, "$unset": {"answer": ""}}, session=session)
        _move(pieces_of(found["items"]), "released", order_id, session)


def _move(deltas: Pieces, reason: str, order_id: str, session: ClientSession) -> None:
    """Change the stock of each product, in the order of their ids, and record it. An inactive one takes pieces back."""
    changes = [
        UpdateOne({"_id": product, "stock": {"$gte": -delta}}, {"$inc": {"stock": delta}})
        for product, delta in deltas.items()
    ]
    if products().bulk_write(changes, session=session).matched_count != len(changes):
        raise RuntimeError("the stock is not what this transaction read")  # the snapshot rules it out
    common = {"reason": reason, "ref": order_id, "at": now()}
    recorded = [{"product": product, "delta": delta, **common} for product, delta in deltas.items()]
    movements().insert_many(recorded, session=session)


def _answer_again(answer: Mapping[str, Any]) -> None:
    """Same event id, sequence and payload: to whoever reads it, it is the same event."""
    row = OutboxRow(**{**answer, "created_at": now()})
    with suppress(DuplicateKeyError):  # it is still on its way
        in_transaction(Product._get_db(), partial(store_answer, row))
