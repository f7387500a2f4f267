"""The documents of product_service: products with their movements and first changes, and reservations.

The rules hold: a stock is the sum of its product's movements, and a reservation in force holds what it states. What retention would
have deleted by now is carried forward, as product_service/store/old_stock.py does it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any

from bson import ObjectId
from pymongo.collection import Collection
from pymongo.database import Database

from deploy.seeding import story
from deploy.seeding.order_tables import Done
from deploy.seeding.story import DAY, Order, Product, Size
from product_service.domain.product import sort_key
from product_service.domain.search_words import FORMS_VERSION, category_key, stored_words

CHUNK = 2000
KEPT_DAYS = 60  # RESERVATION_RETENTION of product_service
CARRIED, CARRIED_AT = "carried forward", datetime(1970, 1, 1, tzinfo=UTC)
STAFF = "5eed" * 6  # the account that made all products
INDEXES = {
    "products": ("price", "name", "stock", "category_key", "category_price", "category_name", "search_words"),
    "stock_movements": ("product",),
    "product_changes": ("product",),
}
"""The indexes that are made anew when all documents are there."""
Db = Database[dict[str, Any]]
Row = dict[str, Any]


class Taken:
    """The pieces that orders have taken of each product: by reservations that are kept, and by those that retention deleted."""

    def __init__(self, products: int) -> None:
        self.kept, self.forgotten = array("q", bytes(8 * products)), array("q", bytes(8 * products))


def write(db: Db, size: Size, done: Done) -> None:
    """Write the reservations of all orders, and then the products whose pieces they took. `done` gets the numbers of both."""
    taken = Taken(size.products)
    write_reservations(db, size, taken, done)
    write_products(db, size, taken, done)


def write_reservations(db: Db, size: Size, taken: Taken, done: Done) -> None:
    """The reservations and their movements."""
    waiting = story.orders(size)
    while chunk := list(islice(waiting, CHUNK)):
        reservations: list[Row] = []
        movements: list[Row] = []
        for order in chunk:
            if order.status == "pending":
                continue
            is_forgotten = _is_forgotten(size, order)
            _note(taken.forgotten if is_forgotten else taken.kept, order)
            if not is_forgotten:
                reservations.append(_reservation(size, order))
                movements += _movements(size, order)
        _insert(db["reservations"], reservations)
        _insert(db["stock_movements"], movements)
        done(len(chunk))


def write_products(db: Db, size: Size, taken: Taken, done: Done) -> None:
    """The products, each with the movement of its first stock, the one that is carried forward, and its first change."""
    numbers = iter(range(size.products))
    while chunk := list(islice(numbers, CHUNK)):
        products = [story.product(size, number) for number in chunk]
        movements = [row for product in products for row in _first_movements(product, taken)]
        _insert(db["stock_movements"], movements)
        _insert(db["product_changes"], [row for product in products for row in _changes(product, taken)])
        _insert(db["products"], [_product(product) for product in products])
        done(len(chunk))


def _insert(collection: Collection[Row], rows: list[Row]) -> None:
    if rows:
        collection.insert_many(rows, ordered=False)


def _reservation(size: Size, order: Order) -> Row:
    """The reservation of an order that is decided."""
    decided, last = order.steps[1], order.steps[-1]
    row: Row = {
        "_id": order.id,
        "state": {"rejected": "REJECTED", "cancelled": "RELEASED"}.get(order.status, "RESERVED"),
    }
    row["items"] = [
        {
            "product": _key(size, number),
            "quantity": quantity,
            "price_minor": story.product_price(number),
            "currency": "USD",
        }
        for number, quantity in order.lines
    ]
    row["answer"] = _answer(size, order)
    row["created_at"] = _time(decided.at)
    if order.status in ("rejected", "cancelled", "delivered"):
        row["closed_at"] = _time(last.at)
    return row


def _answer(size: Size, order: Order) -> Row:
    """The row of the last reply in the outbox, which published it."""
    if order.status == "cancelled":
        topic, sequence, step = "stock-released", 2, order.steps[-1]
        pieces = sorted((story.product_id(size, number), quantity) for number, quantity in order.lines)
        rest = ",".join(f'{{"productId":"{product}","quantity":{quantity}}}' for product, quantity in pieces)
        payload = f'{{"orderId":"{order.id}","items":[{rest}]}}'
    else:
        rejected = order.status == "rejected"
        topic, sequence, step = "stock-rejected" if rejected else "stock-reserved", 1, order.steps[1]
        rest = ",".join(
            f'{{"productId":"{story.product_id(size, number)}","quantity":{quantity},"unitPrice":"{_price(number)}"}}'
            for number, quantity in order.lines
        )
        short, wanted = order.lines[0]
        shortage = f'{{"productId":"{story.product_id(size, short)}","wanted":{wanted},"available":0}}'
        payload = f'{{"orderId":"{order.id}","items":[{rest}],"reason":'
        payload += f'"out_of_stock","shortages":[{shortage}],"prices":[]}}' if rejected else 'null,"shortages":[]}'
    at, event_id = (
        _time(step.at),
        f"{step.event_id[:20]}{order.id[20:]}",
    )  # another one than that of the order's own event
    headers = (
        f'{{"ce_specversion":"1.0","ce_id":"{event_id}","ce_type":"{topic}","ce_source":"product_service",'
        f'"ce_time":"{at:%Y-%m-%dT%H:%M:%S}.000Z","ce_subject":"{order.id}","ce_sequence":"{sequence}",'
        '"content-type":"application/json"}'
    )
    row = {"event_id": event_id, "topic": topic, "aggregate_id": order.id, "sequence": sequence, "payload": payload}
    return row | {"headers": headers, "created_at": at}


def _movements(size: Size, order: Order) -> Iterator[Row]:
    """What the order took at its decision, and gave back at its release."""
    if order.status == "rejected":
        return
    ends = [(-1, "reserved", order.steps[1].at)]
    if order.status == "cancelled":
        ends.append((1, "released", order.steps[-1].at))
    for sign, reason, at in ends:
        for number, quantity in order.lines:
            yield {
                "product": _key(size, number),
                "delta": sign * quantity,
                "reason": reason,
                "ref": order.id,
                "at": _time(at),
            }


def _is_forgotten(size: Size, order: Order) -> bool:
    """Whether retention has deleted the reservation: it was closed long ago."""
    return order.status in ("rejected", "cancelled", "delivered") and order.steps[-1].at < size.end - KEPT_DAYS * DAY


def _note(pieces: array[int], order: Order) -> None:
    if order.status not in ("rejected", "cancelled"):
        for number, quantity in order.lines:
            pieces[number] += quantity


def _first_movements(product: Product, taken: Taken) -> Iterator[Row]:
    key, gone = ObjectId(product.id), taken.forgotten[product.number]
    first = product.left + taken.kept[product.number] + gone
    if first:
        yield {
            "product": key,
            "delta": first,
            "reason": "initial stock",
            "actor": STAFF,
            "at": _time(product.created_at),
        }
    if gone:
        yield {"product": key, "delta": -gone, "reason": CARRIED, "at": CARRIED_AT}


def _changes(product: Product, taken: Taken) -> Iterator[Row]:
    """The change that made the product, and the one that withdrew it."""
    stock = product.left + taken.kept[product.number] + taken.forgotten[product.number]
    fields = {
        "name": product.name,
        "description": product.description,
        "sku": product.sku,
        "category": product.category,
    }
    fields |= {"price": _price(product.number), "currency": "USD"}
    changes = {name: [None, value] for name, value in {**fields, "stock": stock, "active": True}.items()}
    row: Row = {"product": ObjectId(product.id), "actor": STAFF}
    yield row | {"at": _time(product.created_at), "action": "created", "changes": changes}
    if not product.active:
        yield row | {"at": _time(product.updated_at), "action": "withdrawn", "changes": {"active": [True, False]}}


def _product(product: Product) -> Row:
    created, words = _time(product.created_at), f"{product.name} {product.description}".split()
    return {
        "_id": ObjectId(product.id),
        "name": product.name,
        "name_key": sort_key(product.name),
        "description": product.description,
        "sku": product.sku,
        "category": product.category,
        "price_minor": product.price,
        "currency": "USD",
        "stock": product.left,
        "active": product.active,
        "version": product.version,
        "created_at": created,
        "updated_at": _time(product.updated_at),
        "category_key": category_key(product.category),
        "search_words": sorted(set(stored_words([product.sku])).union(*map(_forms, words))),
        "words_version": FORMS_VERSION,
        "sequence": product.version,
    }


@cache
def _frequent_forms(word: str) -> tuple[str, ...]:
    return tuple(stored_words([word]))


def _forms(word: str) -> tuple[str, ...]:
    """The forms of a word. Numbers are not kept: each product has one of its own."""
    return (word,) if word.isdigit() else _frequent_forms(word)


def _key(size: Size, number: int) -> ObjectId:
    return ObjectId(story.product_id(size, number))


def _price(number: int) -> str:
    cents = story.product_price(number)
    return f"{cents // 100}.{cents % 100:02}"


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(int(at * 1000) / 1000, UTC)
