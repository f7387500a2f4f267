"""Reads of orders for clients: rows become JSON without the types in between, which takes half of the time.

`api/responses.py` makes the same JSON of an Order. tests/integration/test_order_json.py compares the two.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson

from libs.access.caller import Caller
from libs.django_store.statements import fetch_all
from libs.values.pages import Page, PageRequest, build_page
from order_service.domain.errors import UnknownOrder
from order_service.queries.order_ranges import OrderFilter, Range, choose_range, is_ascending
from order_service.store.order_tables.order_rows import ADDRESS_KEYS

JsonObject = Mapping[str, object]
Rejection = Mapping[str, Sequence[JsonObject]]
"""The JSON of column `rejection`: lists of `shortages` and of `prices`, each optional."""

# An amount or a time as text saves a conversion of the driver, which is written in Python.
COLUMNS = """
  line.product_id, line.name, line.quantity, CAST(line.unit_price AS CHAR), CAST(line.line_total AS CHAR), line.position,
  own.id, own.status, CAST(own.total AS CHAR), own.currency, CAST(own.created_at AS CHAR), CAST(own.updated_at AS CHAR),
  own.shipping_address, own.reason, own.rejection
"""
POSITION, ORDER_ID = itemgetter(5), itemgetter(6)
# The server makes a table of a page's ids. With the columns of text it would be a table on disk, and sorting makes one more: both
# together took half of the server's time for a page.
PAGE = f"""
SELECT {COLUMNS}
FROM (SELECT id FROM orders {{index}} WHERE {{where}}) AS found
STRAIGHT_JOIN orders AS own ON own.id = found.id
STRAIGHT_JOIN order_lines AS line ON line.order_id = found.id
"""
ONE = (
    f"SELECT {COLUMNS} FROM orders AS own STRAIGHT_JOIN order_lines AS line ON line.order_id = own.id WHERE own.id = %s"
)
OWN = f"{ONE} AND own.user_id = %s"


def get_order(caller: Caller, order_id: str) -> JsonObject:
    """One order, in one query. Raises UnknownOrder, also for another customer's."""
    rows = fetch_all(ONE, [order_id]) if caller.has_role("viewer") else fetch_all(OWN, [order_id, caller.user_id])
    if not rows or ORDER_ID(rows[0]) != order_id:  # the collation ignores spaces at the end
        raise UnknownOrder
    return _order(sorted(rows, key=POSITION))


def list_orders(found: OrderFilter, request: PageRequest) -> Page[JsonObject]:
    """A page of the orders found, by the time of ordering: the newest or the oldest first."""
    rows = choose_range(found, request)
    lines = sorted(fetch_all(page_text(rows, request), rows.parameters), key=POSITION)
    lines.sort(key=ORDER_ID, reverse=not is_ascending(request))
    orders = [_order(list(of_order)) for _, of_order in groupby(lines, ORDER_ID)]
    return build_page(request, orders, lambda order: (order["id"],), resume=(rows.resume,) if rows.resume else None)


def page_text(rows: Range, request: PageRequest) -> str:
    """The SQL text of a page."""
    direction = "ASC" if is_ascending(request) else "DESC"
    where = f"{rows.where} ORDER BY id {direction} LIMIT {request.limit + 1}"
    return PAGE.format(index=f"FORCE INDEX ({rows.index})", where=where)


def _order(rows: Sequence[tuple[Any, ...]]) -> JsonObject:
    """The JSON of the order that these rows have, one for each of its lines."""
    order_id, status, total, currency, created, updated, address, reason, rejection = rows[0][6:]
    public: dict[str, object] = {
        "id": order_id,
        "status": status,
        "items": [
            {
                "productId": product_id,
                "name": name,
                "quantity": quantity,
                "unitPrice": unit_price,
                "lineTotal": line_total,
            }
            for product_id, name, quantity, unit_price, line_total, *_ in rows
        ],
        "productId": rows[0][0],
        "quantity": rows[0][2],
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
        public.update(_rejection(orjson.loads(rejection) or {}, rows))
    return public


def _rejection(stored: Rejection, rows: Sequence[tuple[Any, ...]]) -> JsonObject:
    names: dict[object, str] = {row[0]: row[1] for row in rows}
    shortages = [
        {"productId": short["productId"], "name": names[short["productId"]], **_pieces(short)}
        for short in stored.get("shortages", ())
    ]
    prices = [{"productId": row["productId"], "price": row["price"]} for row in stored.get("prices", ())]
    return {name: value for name, value in (("shortages", shortages), ("prices", prices)) if value}


def _pieces(short: JsonObject) -> JsonObject:
    return {name: short[name] for name in ("wanted", "available", "reason") if name in short}
