"""Orders in bulk, straight into the database: what a shop of some months has, which no load could place in minutes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from MySQLdb.connections import Connection
from ulid import ULID

DAYS = 90
CUSTOMERS, PRODUCTS = 8_000, 400
CHUNK = 2_000  # orders a transaction
MIX = {"delivered": 78, "shipped": 6, "confirmed": 5, "cancelled": 6, "rejected": 4, "pending": 1}  # in 100 orders
WAYS = {
    "pending": (),
    "confirmed": ("confirmed",),
    "rejected": ("rejected",),
    "cancelled": ("confirmed", "cancelled"),
    "shipped": ("confirmed", "shipped"),
    "delivered": ("confirmed", "shipped", "delivered"),
}
"""What an order went through after it was placed."""
NAMES = ("Lamp", "Chair", "Table", "Shelf", "Mug", "Vase", "Rug", "Clock", "Mirror", "Basket")
ORDER = "INSERT INTO orders VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
LINE = """INSERT INTO order_lines (order_id, position, product_id, name, quantity, unit_price, line_total, product_version)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"""
CHANGE = """INSERT INTO order_changes (order_id, from_status, to_status, actor, reason, at)
VALUES (%s, %s, %s, %s, %s, %s)"""
COLUMNS = (
    *("id", "user_id", "user_email", "username", "status", "total", "currency"),
    *("shipping_address", "reason", "sequence", "created_at", "updated_at"),
)
Rows = list[tuple[Any, ...]]


def seed(connection: Connection, count: int, *, seed: int = 7) -> None:
    """Insert `count` orders of the last DAYS days, with lines and changes; each run has the same names and amounts."""
    rng = random.Random(seed)
    end = datetime.now(UTC)
    moments = sorted(end - timedelta(days=DAYS) * rng.random() for _ in range(count))
    order = ORDER.replace("orders VALUES", f"orders ({', '.join(COLUMNS)}) VALUES")
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION unique_checks = 0, foreign_key_checks = 0")  # what is inserted here is whole
        for start in range(0, count, CHUNK):
            orders: Rows = []
            lines: Rows = []
            changes: Rows = []
            for moment in moments[start : start + CHUNK]:
                placed, *rest = _order(rng, moment, end - moment)
                orders.append(placed)
                lines += rest[0]
                changes += rest[1]
            for statement, rows in ((order, orders), (LINE, lines), (CHANGE, changes)):
                cursor.executemany(statement, rows)
            connection.commit()  # type: ignore[no-untyped-call]
        cursor.execute("ANALYZE TABLE orders, order_lines, order_changes")


def _order(rng: random.Random, moment: datetime, age: timedelta) -> tuple[tuple[Any, ...], Rows, Rows]:
    """The rows of one order. The newest are on their way still, older ones have arrived, and few wait."""
    order_id = str(ULID.from_datetime(moment))
    status = rng.choices(list(MIX), list(MIX.values()))[0]
    if age > timedelta(days=7) and status in ("pending", "confirmed", "shipped") and rng.random() < 0.9:
        status = "delivered"
    customer = min(int(rng.expovariate(1 / 1500)), CUSTOMERS - 1)  # some come often
    email, username = f"customer.{customer}@example.com", f"customer.{customer}"
    lines = list(_lines(rng, order_id))
    steps = ("pending", *WAYS[status])
    changes: Rows = []
    for number, step in enumerate(steps):
        before = steps[number - 1] if number else None
        actor = "saga" if number else f"customer:{customer:024x}"
        changes.append((order_id, before, step, actor, None, moment + number * age / 10))
    address = {"name": f"Customer {customer}", "line1": f"Street {customer % 90 + 1}", "city": "Springfield"}
    address |= {"postalCode": f"{customer:05}", "country": "US"}
    total = sum(line[6] for line in lines)
    columns = (order_id, f"{customer:024x}", email, username, status, total / 100, "USD", json.dumps(address), None)
    return (*columns, len(steps), moment, changes[-1][5]), [_in_dollars(line) for line in lines], changes


def _lines(rng: random.Random, order_id: str) -> Iterator[tuple[Any, ...]]:
    """One to four products, in cents."""
    for position, product in enumerate(rng.sample(range(PRODUCTS), rng.choice((1, 1, 1, 2, 2, 3, 4))), start=1):
        price, quantity = 490 + product * 37, rng.choice((1, 1, 1, 2, 3))
        yield (order_id, position, product_id(product), product_name(product), quantity, price, price * quantity, 1)


def _in_dollars(line: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*line[:5], f"{line[5] / 100:.2f}", f"{line[6] / 100:.2f}", line[7])


def product_id(number: int) -> str:
    """The id of one of the PRODUCTS."""
    return f"{number:024x}"


def product_name(number: int) -> str:
    """Its name: forty of each kind."""
    return f"{NAMES[number % len(NAMES)]} {number:03}"
