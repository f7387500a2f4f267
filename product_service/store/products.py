"""Products in MongoDB. A write stores the product, the movement of its stock and its events in one transaction."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from bson import ObjectId
from pymongo import ReturnDocument, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from libs.mongo_store.ids import to_object_id
from libs.mongo_store.inserts import insert
from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.transactions import in_transaction
from libs.mongo_store.validation import validate_changes, validate_document
from libs.values.times import now
from product_service.domain.errors import SkuTaken, UnknownProduct
from product_service.domain.product import MAX_STOCK, Product, StockMovement
from product_service.domain.product_change import ProductChange
from product_service.events.published import SOURCE, ProductSnapshot
from product_service.store import documents, price_history, product_changes
from product_service.store.product_rows import from_bson, to_bson

Snapshot = type[ProductSnapshot]
T = TypeVar("T")


def find(product_id: str, *, currency: str) -> Product:
    """The product, inactive ones too. Raises UnknownProduct."""
    row = documents.products().find_one({"_id": _object_id(product_id)})
    if row is None:
        raise UnknownProduct
    return from_bson(row, currency)


def claim(product_ids: Collection[str], *, currency: str, transaction: ClientSession) -> dict[str, Product]:
    """Let no other writer change these products until the commit, and return them by id, inactive ones too.

    A new value each time: MongoDB takes no lock for an update that changes nothing.
    """
    ids, mark = [ObjectId(product_id) for product_id in sorted(product_ids)], {"$set": {"claim": ObjectId()}}
    if len(ids) == 1:
        row = documents.products().find_one_and_update(
            {"_id": ids[0]}, mark, return_document=ReturnDocument.AFTER, session=transaction
        )
        rows = [row] if row else []
    elif ids:
        which = {"_id": {"$in": ids}}
        documents.products().update_many(which, mark, session=transaction)
        rows = list(documents.products().find(which, session=transaction))
    else:
        rows = []
    return {product.id: product for product in (from_bson(row, currency) for row in rows)}


def find_ids(*, after: str | None, limit: int) -> list[str]:
    """Ids of products, inactive ones too, in order; those that follow `after`."""
    which = {"_id": {"$gt": ObjectId(after)}} if after else {}
    return [str(row["_id"]) for row in documents.products().find(which, {"_id": 1}).sort("_id", 1).limit(limit)]


def add(product: Product, *events: Snapshot, actor: str, transaction: ClientSession | None = None) -> Product:
    """Insert a new product. Its stock is its first movement. `transaction`: the caller's, None for one of its own.

    Raises SkuTaken.
    """
    row = validate_document(documents.Product, {**to_bson(product), "sequence": len(events)})

    def work(transaction: ClientSession) -> None:
        insert(documents.products(), [row], transaction)
        _record(product, product.stock, "initial stock", actor, transaction)
        product_changes.add(ProductChange.between(None, product, actor=actor, at=now()), transaction)
        _store_events(product, events, row["sequence"], transaction)

    _transact(work, transaction)
    return product


def update(before: Product, after: Product, *events: Snapshot, actor: str) -> Product | None:
    """Write the fields in which `after` differs from `before`, and return the product as it is then.

    None when its version is no longer that of `before`, or its stock where `after` has another one. The events are snapshots of
    what is returned. Raises SkuTaken.
    """
    was, becomes, delta = to_bson(before), to_bson(after), after.stock - before.stock
    changes = {name: value for name, value in becomes.items() if name != "stock" and value != was[name]}
    expected = {"_id": was["_id"], "version": before.version} | ({"stock": before.stock} if delta else {})
    change: dict[str, Any] = {"$inc": {"sequence": len(events), "stock": delta}}
    if changes:
        change["$set"] = validate_changes(documents.Product, changes)

    def work(transaction: ClientSession) -> Product | None:
        row = documents.products().find_one_and_update(
            expected, change, return_document=ReturnDocument.AFTER, session=transaction
        )
        if row is None:
            return None
        changed = from_bson(row, before.price.currency)
        if after.price != before.price:
            price_history.end_price((before.id, before.price), at=after.updated_at, transaction=transaction)
        _record(changed, delta, "set by staff", actor, transaction)
        product_changes.add(ProductChange.between(before, after, actor=actor, at=now()), transaction)
        _store_events(changed, events, row["sequence"], transaction)
        return changed

    return _transact(work)


def adjust(movement: StockMovement, *, currency: str, transaction: ClientSession | None = None) -> Product | None:
    """Apply one movement and return the product. None when it does not exist or its stock would leave its range.

    `transaction`: the caller's, None for one of its own. Raises UnknownProduct for what is no id.
    """

    def work(transaction: ClientSession) -> Product | None:
        row = documents.products().find_one_and_update(
            _in_range(movement.product_id, movement.delta),
            {"$inc": {"stock": movement.delta}},
            return_document=ReturnDocument.AFTER,
            session=transaction,
        )
        if row is None:
            return None
        insert(documents.movements(), [_movement_row(movement)], transaction)
        changed = from_bson(row, currency)
        if movement.actor:
            change = ProductChange.of_stock(changed, delta=movement.delta, actor=movement.actor, at=movement.at)
            product_changes.add(change, transaction)
        return changed

    return _transact(work, transaction)


def apply_movements(movements: Sequence[StockMovement], transaction: ClientSession) -> None:
    """Apply the movements of any number of orders: one change for each product, in the order of their ids, inactive ones too.

    The caller has read the stock in the same transaction. Raises RuntimeError when a stock would leave its range.
    """
    deltas: Counter[str] = Counter()
    for movement in movements:
        deltas[movement.product_id] += movement.delta
    changes = [
        (_in_range(product_id, delta), {"$inc": {"stock": delta}})
        for product_id, delta in sorted(deltas.items())
        if delta
    ]
    matched = 0
    if len(changes) == 1:
        matched = documents.products().update_one(*changes[0], session=transaction).matched_count
    elif changes:
        bulk = [UpdateOne(*change) for change in changes]
        matched = documents.products().bulk_write(bulk, ordered=False, session=transaction).matched_count
    if matched != len(changes):
        raise RuntimeError("the stock of a product would leave its range")
    if movements:
        insert(documents.movements(), [_movement_row(movement) for movement in movements], transaction)


def add_event(product_ids: Sequence[str], event: Snapshot, *, currency: str) -> None:
    """Store an event for each of these products, which stay as they are."""
    which = {"_id": {"$in": [ObjectId(product_id) for product_id in product_ids]}}

    def work(transaction: ClientSession) -> None:
        documents.products().update_many(which, {"$inc": {"sequence": 1}}, session=transaction)
        for row in documents.products().find(which, session=transaction):
            _store_events(from_bson(row, currency), [event], row["sequence"], transaction)

    _transact(work)


def raise_versions(product_ids: Sequence[str], floor: int) -> None:
    """Raise version and event number of each of these products by one, and to `floor` at least."""
    which = {"_id": {"$in": [ObjectId(product_id) for product_id in product_ids]}}
    raised = {name: {"$max": [{"$add": [f"${name}", 1]}, floor]} for name in ("version", "sequence")}
    documents.products().update_many(which, [{"$set": raised}])


def count_other_currencies(currency: str) -> int:
    """The number of products whose price is in another currency than `currency`, inactive ones too."""
    return int(documents.products().count_documents({"currency": {"$nin": [currency, None]}}))


def _object_id(product_id: str) -> ObjectId:
    if (found := to_object_id(product_id)) is None:
        raise UnknownProduct
    return found


def _in_range(product_id: str, delta: int) -> dict[str, Any]:
    return {"_id": _object_id(product_id), "stock": {"$gte": -delta, "$lte": MAX_STOCK - delta}}


def _record(product: Product, delta: int, reason: str, actor: str, transaction: ClientSession) -> None:
    if delta:
        movement = StockMovement(product_id=product.id, delta=delta, reason=reason, actor=actor, at=now())
        insert(documents.movements(), [_movement_row(movement)], transaction)


def _movement_row(movement: StockMovement) -> dict[str, Any]:
    fields = {
        "product": ObjectId(movement.product_id),
        "delta": movement.delta,
        "reason": movement.reason,
        "ref": movement.ref,
        "actor": movement.actor,
        "at": movement.at,
    }
    return validate_document(documents.StockMovement, fields)


def _store_events(product: Product, events: Sequence[Snapshot], last: int, transaction: ClientSession) -> None:
    """Add the outbox rows of `product`; `last` is its counter after all of them."""
    snapshots, first = [event.of(product) for event in events], last - len(events) + 1
    outbox = MongoOutbox(documents.db())
    outbox.add_events(snapshots, transaction, source=SOURCE, aggregate_id=product.id, first_sequence=first)


def _transact(work: Callable[[ClientSession], T], transaction: ClientSession | None = None) -> T:
    try:
        return work(transaction) if transaction else in_transaction(documents.db(), work)
    except DuplicateKeyError as error:
        taken = (error.details or {}).get("keyValue", {})
        if "sku" not in taken:
            raise  # an event number was given twice: a bug, and not the client's
        raise _sku_taken(taken["sku"]) from None


def _sku_taken(sku: str) -> SkuTaken:
    """The error that names the product with this SKU. Without a name when the product has changed since."""
    holder = documents.products().find_one({"sku": sku}, {"active": 1})
    return SkuTaken(productId=str(holder["_id"]), active=holder["active"]) if holder else SkuTaken()
