"""`python -m bench.batches`: what the workers' handlers cost by the size of their batches, on MongoDB and MySQL of this run's own.

It calls the handlers as the consumers do, without Kafka. Each line is the median of ROUNDS rounds. CPU is that of this process and
of the database server, for one event.
"""

from __future__ import annotations

import argparse
import os
import resource
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import MySQLdb
import psutil
from bson import ObjectId
from ulid import ULID

from deploy.local.servers.mongo import Mongo
from deploy.local.servers.mysql import MySQL
from deploy.local.state import State
from libs.messaging.envelope import Event
from libs.values.times import rfc3339
from tests.environment import make_environment
from tests.stack import running

ROUNDS = 3
SIZES = (1, 20, 100)
MAX_WEIGHT = 500  # order lines of a batch, as the consumer limits them

Handle = Callable[[Sequence[Event]], object]


def main() -> int:
    """Print a table: events a second and CPU an event, by what is handled and by the size of the batches."""
    parser = argparse.ArgumentParser(prog="python -m bench.batches", description=__doc__)
    parser.add_argument("--events", type=int, default=2000, help="in each round of the largest batches")
    count = parser.parse_args().events
    os.environ.update(make_environment(), DJANGO_SETTINGS_MODULE="order_service.settings", LOG_FORMAT="json")
    print("| what | batch | events/s | CPU ms an event, client + server |\n| --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as place:
        state = State(Path(place))
        state.make()
        with mongo_server(state) as server:
            measure_orders(server, count)
        with mysql_server(state) as server:
            measure_replies(server, count)
    return 0


@contextmanager
def mongo_server(state: State) -> Iterator[psutil.Process]:
    """MongoDB with product_service's collections, connected."""
    from libs.mongo_store.connection import connect
    from product_service.store.indexes import ensure_indexes

    uri = os.environ["MONGO_URI"]
    port = int(uri.removeprefix("mongodb://").partition("/")[0].rpartition(":")[2])
    with running(Mongo(state, port), state):
        connect(uri)
        ensure_indexes()
        yield find_server("mongod")


@contextmanager
def mysql_server(state: State) -> Iterator[psutil.Process]:
    """MariaDB or MySQL with order_service's tables."""
    import django

    names = ("MYSQL_DATABASE", "MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD")
    database, user, password, root = (os.environ[name] for name in names)
    server = MySQL(
        state=state,
        port=int(os.environ["MYSQL_PORT"]),
        databases=(database,),
        user=user,
        password=password,
        root_password=root,
    )
    with running(server, state):
        subprocess.run([sys.executable, "-m", "order_service", "migrate"], check=True, capture_output=True)
        django.setup()
        yield find_server("mysqld", "mariadbd")


def find_server(*names: str) -> psutil.Process:
    """The server that this process has started."""
    return next(child for child in psutil.Process().children(recursive=True) if child.name() in names)


def measure_orders(server: psutil.Process, count: int) -> None:
    """product_service decides orders: of one product, of 100, and of 1,000 with five lines each."""
    from product_service.events.topics import GROUP
    from product_service.worker.handlers import make_batches

    handle = make_batches("USD")[GROUP]
    for what, products, lines in (
        ("decided, one product", 1, 1),
        ("decided, 100 products", 100, 1),
        ("…, five lines", 1000, 5),
    ):
        known = make_products(products)
        for size in SIZES:
            size = min(size, MAX_WEIGHT // lines)
            number = rounded(count, size)
            rounds = [[order_placed(known, lines, n) for n in range(number)] for _ in range(ROUNDS)]
            report(what, size, server, handle, rounds)


def measure_replies(server: psutil.Process, count: int) -> None:
    """order_service confirms orders, and keeps snapshots of products."""
    from order_service.events.topics import CATALOGUE_GROUP, STOCK_GROUP
    from order_service.worker.handlers import BATCHES

    for size in SIZES:
        number = rounded(count, size)
        rounds = [[stock_reserved(order) for order in make_orders(number)] for _ in range(ROUNDS)]
        report("confirmed", size, server, BATCHES[STOCK_GROUP], rounds)
    for size in SIZES:
        number = rounded(count, size)
        rounds = [[product_created() for _ in range(number)] for _ in range(ROUNDS)]
        report("catalogue", size, server, BATCHES[CATALOGUE_GROUP], rounds)


def rounded(count: int, size: int) -> int:
    """How many events a round has: single ones are slow, so they are fewer."""
    return max(size * 2, count // 10 if size == 1 else count)


def report(what: str, size: int, server: psutil.Process, handle: Handle, rounds: Sequence[Sequence[Event]]) -> None:
    """Handle each round in batches of `size`, and print the medians."""
    rates, costs = [], []
    for events in rounds:
        cpu, began = cpu_of(server), time.perf_counter()
        for start in range(0, len(events), size):
            handle(events[start : start + size])
        rates.append(len(events) / (time.perf_counter() - began))
        costs.append([(after - before) * 1000 / len(events) for before, after in zip(cpu, cpu_of(server), strict=True)])
    client, served = (statistics.median(column) for column in zip(*costs, strict=True))
    print(f"| {what} | {size} | {statistics.median(rates):,.0f} | {client:.2f} + {served:.2f} |", flush=True)


def cpu_of(server: psutil.Process) -> tuple[float, float]:
    """Seconds of CPU of this process and of the server."""
    own, times = resource.getrusage(resource.RUSAGE_SELF), server.cpu_times()
    return own.ru_utime + own.ru_stime, times.user + times.system


def event(topic: str, key: str, data: dict[str, object]) -> Event:
    """As the consumer passes it on."""
    return Event(str(ULID()), topic, key, 1, rfc3339(datetime.now(UTC)), data)


def make_products(count: int) -> list[str]:
    """Products with much stock, straight into the database."""
    from product_service.store.documents import products

    at = datetime.now(UTC)
    row = {
        "name": "Lamp",
        "name_key": "lamp",
        "description": "",
        "price_minor": 1990,
        "currency": "USD",
        "active": True,
    }
    row |= {"stock": 5_000_000, "version": 1, "sequence": 1, "created_at": at, "updated_at": at}
    made = products().insert_many([{**row, "_id": ObjectId()} for _ in range(count)])
    return [str(product_id) for product_id in made.inserted_ids]


def order_placed(products: Sequence[str], lines: int, number: int) -> Event:
    """An order of `lines` products, which differ from order to order."""
    order_id, moment = str(ULID()), rfc3339(datetime.now(UTC))
    chosen = [products[(number * lines + line) % len(products)] for line in range(lines)]
    items = [{"productId": product, "quantity": 1, "unitPrice": "19.90"} for product in chosen]
    return event(
        "order-placed", order_id, {"orderId": order_id, "timestamp": moment, "currency": "USD", "items": items}
    )


def stock_reserved(order_id: str) -> Event:
    """The reply to an order."""
    return event("stock-reserved", order_id, {"orderId": order_id, "items": [], "reason": None, "shortages": []})


def product_created() -> Event:
    """A new product."""
    product_id, at = secrets.token_hex(12), rfc3339(datetime.now(UTC))
    data = {"id": product_id, "name": "Lamp", "price": "19.90", "currency": "USD", "active": True, "version": 1}
    return event("product-created", product_id, {**data, "updatedAt": at})


def make_orders(count: int) -> list[str]:
    """Pending orders, straight into the database; returns their ids."""
    ids, user = sorted(str(ULID()) for _ in range(count)), "0" * 24
    names = ("MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE")
    user_name, password, database = (os.environ[name] for name in names)
    place = {"host": "127.0.0.1", "port": int(os.environ["MYSQL_PORT"]), "user": user_name, "password": password}
    with closing(MySQLdb.connect(database=database, charset="utf8mb4", **place)) as connection:
        cursor = connection.cursor()
        cursor.executemany(
            "INSERT INTO orders (id, user_id, user_email, username, status, total, currency, sequence, created_at, updated_at)"
            f" VALUES (%s, '{user}', 'a@example.com', 'ann', 'pending', 19.90, 'USD', 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
            [(order_id,) for order_id in ids],
        )
        columns = "order_id, position, product_id, name, quantity, unit_price, line_total, product_version"
        cursor.executemany(
            f"INSERT INTO order_lines ({columns}) VALUES (%s, 1, '{user}', 'Lamp', 1, 19.90, 19.90, 1)",
            [(order_id,) for order_id in ids],
        )
        columns = "event_id, topic, aggregate_id, sequence, payload, headers, created_at, asks"
        cursor.executemany(
            f"INSERT INTO pending_orders ({columns}) VALUES (%s, 'order-placed', %s, 1, '{{}}', '{{}}', UTC_TIMESTAMP(6), 0)",
            [(str(ULID()), order_id) for order_id in ids],
        )
        connection.query("COMMIT")
    return ids


if __name__ == "__main__":
    sys.exit(main())
