"""Reads of orders for clients: rows become JSON without the types in between, which takes half of the time.

`api/responses.py` makes the same JSON of an Order. tests/integration/test_order_json.py compares the two.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from libs.access.caller import Caller
from libs.django_store.statements import fetch_all
from libs.values.pages import Page, PageRequest, build_page
from order_service.domain.errors import UnknownOrder
from order_service.queries.order_ranges import OrderFilter, Range, choose_range, in_order
from order_service.store.order_tables.order_rows import ADDRESS_KEYS, item

JsonObject = Mapping[str, object]
Rejection = Mapping[str, Sequence[JsonObject]]
"""The JSON of column `rejection`: lists of `shortages` and of `prices`, each optional."""

# An amount or a time as text saves a conversion of the driver, which is written in Python.
ORDERS = """
SELECT id, status, CAST(total AS CHAR), currency, CAST(created_at AS CHAR), CAST(updated_at AS CHAR), shipping_address, reason,
  rejection, items
FROM orders
"""
ONE = f"{ORDERS} WHERE id = %s"
OWN = f"{ONE} AND user_id = %s"
LINES = """
SELECT order_id, product_id, name, quantity, CAST(unit_price AS CHAR), CAST(line_total AS CHAR)
FROM order_lines WHERE order_id IN %s ORDER BY order_id, position
"""


def get_order(caller: Caller, order_id: str) -> JsonObject:
    """One order, in one query. Raises UnknownOrder, also for another customer's."""
    rows = fetch_all(ONE, [order_id]) if caller.has_role("viewer") else fetch_all(OWN, [order_id, caller.user_id])
    if not rows or rows[0][0] != order_id:  # the collation ignores spaces at the end
        raise UnknownOrder
    return _orders(rows)[0]


def list_orders(found: OrderFilter, request: PageRequest) -> Page[JsonObject]:
    """A page of the orders found, by the time of ordering: the newest or the oldest first."""
    rows = choose_range(found, request)
    orders = _orders(fetch_all(page_text(rows, request), rows.parameters))
    return build_page(request, orders, lambda order: (order["id"],), resume=(rows.resume,) if rows.resume else None)


def page_text(rows: Range, request: PageRequest) -> str:
    """The SQL text of a page."""
    return f"{ORDERS} {rows.clause} {in_order(request)} LIMIT {request.limit + 1}"


def _orders(rows: Sequence[tuple[Any, ...]]) -> list[JsonObject]:
    older = _lines([row[0] for row in rows if row[-1] is None])
    return [_order(row, older[row[0]] if row[-1] is None else orjson.loads(row[-1])) for row in rows]


def _lines(order_ids: Collection[str]) -> Mapping[str, list[JsonObject]]:
    """The lines of orders that are older than column `items`. No query for none."""
    found: dict[str, list[JsonObject]] = {order_id: [] for order_id in order_ids}
    for order_id, *line in fetch_all(LINES, [tuple(order_ids)]) if order_ids else ():
        found[order_id].append(item(*line))
    return found


def _order(row: tuple[Any, ...], items: Sequence[JsonObject]) -> JsonObject:
    order_id, status, total, currency, created, updated, address, reason, rejection, _ = row
    public: dict[str, object] = {
        "id": order_id,
        "status": status,
        "items": items,
        "productId": items[0]["productId"],
        "quantity": items[0]["quantity"],
        "total": total,
        "currency": currency,
        "createdAt": f"{created[:10]}T{created[11:23]}Z",
        "updatedAt": f"{updated[:10]}T{updated[11:23]}Z",
    }
    if address is not None and (stored := orjson.loads(address)):
        lines = {key: stored[key] for key in ADDRESS_KEYS.values() if stored.get(key)}
        public["shippingAddress"] = lines | {
            "country": stored["country"].upper()
        }  # earlier versions stored it as it was sent
    if reason is not None:
        public["reason"] = reason
    if rejection is not None:
        public.update(_rejection(orjson.loads(rejection) or {}, items))
    return public


def _rejection(stored: Rejection, items: Sequence[JsonObject]) -> JsonObject:
    names = {line["productId"]: line["name"] for line in items}
    shortages = [
        {"productId": short["productId"], "name": names[short["productId"]], **_pieces(short)}
        for short in stored.get("shortages", ())
    ]
    prices = [{"productId": row["productId"], "price": row["price"]} for row in stored.get("prices", ())]
    return {name: value for name, value in (("shortages", shortages), ("prices", prices)) if value}


def _pieces(short: JsonObject) -> JsonObject:
    return {name: short[name] for name in ("wanted", "available", "reason") if name in short}
