"""The rows of order_service: orders with lines, changes and mails, the accounts that order, and the replica of the catalogue."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice

from MySQLdb.connections import Connection

from deploy.seeding import story
from deploy.seeding.story import Order, Size

CHUNK = 2000  # orders in a transaction
STEPS_OF = "order_id, from_status, to_status, actor, reason, at, number"
ORDER = """id, user_id, user_email, email_verified, email_at, username, status, total, currency, items, shipping_address,
reason, request_id, rejection, sequence, created_at, updated_at"""
LINE = "order_id, position, product_id, name, quantity, unit_price, line_total, product_version"
MAIL = "event_id, kind, order_id, sent_at, outcome, trace_id"
CUSTOMER = "user_id, deleted, email, email_verified, email_at, ask_at, asks"
PRODUCT = "product_id, name, price, currency, active, version, updated_at"
KINDS = {
    "pending": "order-placed",
    **{it: f"order-{it}" for it in ("confirmed", "rejected", "shipped", "delivered", "cancelled")},
}
"""The mail about each status."""
INDEXES = {
    "orders": ("orders_of_user", "orders_of_user_status", "orders_of_email", "orders_of_username"),
    "order_lines": ("lines_of_product", "lines_by_name"),
    "catalogue_products": ("catalogue_by_name",),
}
"""The indexes whose values come in no order: they are made anew when all rows are there, because that takes less time."""
FEED = """INSERT INTO change_feed (id, last_number) VALUES (1, %s)
ON DUPLICATE KEY UPDATE last_number = GREATEST(last_number, %s)"""
OUT_OF_STOCK = "'out_of_stock'"
Done = Callable[[int], None]


def write(connection: Connection, size: Size, done: Done) -> None:
    """Write the products, the customers and the orders. `done` gets the number of rows of these three that are new."""
    write_customers(connection, size, done)
    write_products(connection, size, done)
    write_orders(connection, size, story.orders(size), done)


def write_customers(connection: Connection, size: Size, done: Done) -> None:
    """The accounts, with the addresses that user_service has published."""
    numbers = iter(range(size.accounts))
    while chunk := list(islice(numbers, CHUNK)):
        rows = (
            f"('{story.customer_id(size, it)}',0,'{story.customer_email(it)}',1,'{_time(story.registered_at(size, it))}',NULL,1)"
            for it in chunk
        )
        _insert(connection, (("customers", CUSTOMER, rows),))
        done(len(chunk))


def write_products(connection: Connection, size: Size, done: Done) -> None:
    """The replica of the catalogue."""
    numbers = iter(range(size.products))
    while chunk := list(islice(numbers, CHUNK)):
        products = (story.product(size, number) for number in chunk)
        rows = (
            f"('{it.id}','{it.name}',{_money(it.price)},'USD',{int(it.active)},{it.version},'{_time(it.updated_at)}')"
            for it in products
        )
        _insert(connection, (("catalogue_products", PRODUCT, rows),))
        done(len(chunk))


def write_orders(connection: Connection, size: Size, orders: Iterable[Order], done: Done) -> None:
    """The orders, their lines, their changes in the feed, and the mails about them."""
    number = _highest_number(connection)
    waiting = iter(orders)
    while chunk := list(islice(waiting, CHUNK)):
        tables = (
            ("orders", ORDER, (_order(size, it) for it in chunk)),
            ("order_lines", LINE, (row for it in chunk for row in _lines(size, it))),
            ("order_changes", STEPS_OF, _changes(size, chunk, number)),
            ("sent_mails", MAIL, (row for it in chunk for row in _mails(it))),
        )
        _insert(connection, tables)
        number += sum(len(it.steps) for it in chunk)
        done(len(chunk))
    with connection.cursor() as cursor:
        cursor.execute(FEED, [number, number])
    connection.commit()  # type: ignore[no-untyped-call] # the stubs leave it out


def analyse(connection: Connection) -> None:
    """Fresh statistics of the tables, by which the server chooses its indexes."""
    with connection.cursor() as cursor:
        for table in ("orders", "order_lines", "order_changes", "sent_mails", "customers", "catalogue_products"):
            cursor.execute(f"ANALYZE TABLE {table}")
            cursor.fetchall()


def _highest_number(connection: Connection) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION unique_checks = 0, foreign_key_checks = 0")  # what is inserted here is whole
        cursor.execute(
            "SELECT GREATEST(COALESCE(MAX(number), 0), COALESCE((SELECT MAX(last_number) FROM change_feed), 0)) FROM order_changes"
        )
        return int(cursor.fetchall()[0][0])


def _insert(connection: Connection, tables: Iterable[tuple[str, str, Iterable[str]]]) -> None:
    """Insert rows, which are SQL text, in one transaction."""
    with connection.cursor() as cursor:
        for table, columns, rows in tables:
            cursor.execute(f"INSERT INTO {table} ({columns}) VALUES {','.join(rows)}")
    connection.commit()  # type: ignore[no-untyped-call]


def _order(size: Size, order: Order) -> str:
    number = order.customer
    address = {"name": f"Customer {number}", "line1": f"{number % 90 + 1} Long Street", "city": "Springfield"}
    address |= {"postalCode": f"{number % 100_000:05}", "country": "US"}
    total = sum(story.product_price(product) * quantity for product, quantity in order.lines)
    rejected = order.status == "rejected"
    values = (
        f"'{order.id}','{story.customer_id(size, number)}','{story.customer_email(number)}',1",
        f"'{_time(story.registered_at(size, number))}','{story.customer_name(number)}','{order.status}',{_money(total)}",
        f"'USD','{json.dumps([_item(size, *line) for line in order.lines])}'",
        f"'{json.dumps(address)}',{OUT_OF_STOCK if rejected else 'NULL'},'{order.steps[0].event_id}'",
        f"'{_rejection(size, order)}'" if rejected else "NULL",
        f"{len(order.steps)},'{_time(order.steps[0].at)}','{_time(order.steps[-1].at)}'",
    )
    return f"({','.join(values)})"


def _item(size: Size, product: int, quantity: int) -> dict[str, object]:
    price = story.product_price(product)
    amounts = {"unitPrice": _money(price), "lineTotal": _money(price * quantity)}
    return {
        "productId": story.product_id(size, product),
        "name": story.product_name(product),
        "quantity": quantity,
    } | amounts


def _rejection(size: Size, order: Order) -> str:
    product, quantity = order.lines[0]
    return json.dumps(
        {"shortages": [{"productId": story.product_id(size, product), "wanted": quantity, "available": 0}]}
    )


def _lines(size: Size, order: Order) -> Iterator[str]:
    for position, (number, quantity) in enumerate(order.lines, start=1):
        price, name = story.product_price(number), story.product_name(number)
        yield (
            f"('{order.id}',{position},'{story.product_id(size, number)}','{name}',{quantity},"
            f"{_money(price)},{_money(price * quantity)},1)"
        )


def _changes(size: Size, orders: Iterable[Order], number: int) -> Iterator[str]:
    for order in orders:
        before = "NULL"
        for step in order.steps:
            number += 1
            actor = (
                f"customer:{story.customer_id(size, order.customer)}"
                if step.status in ("pending", "cancelled")
                else "saga"
            )
            reason = OUT_OF_STOCK if step.status == "rejected" else "NULL"
            yield f"('{order.id}',{before},'{step.status}','{actor}',{reason},'{_time(step.at)}',{number})"
            before = f"'{step.status}'"


def _mails(order: Order) -> Iterator[str]:
    for step in order.steps:
        yield f"('{step.event_id}','{KINDS[step.status]}','{order.id}','{_time(step.at + 0.3)}','sent','')"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
