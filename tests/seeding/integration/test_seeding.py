"""`make seed-large` on real databases, with few rows: what it writes is what the services would have written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing

import pymongo
import pytest

from deploy.local.errors import LocalError
from deploy.local.state import ROOT
from deploy.seeding import order_tables, put_off, stock_documents, story, writers
from deploy.seeding.story import Size
from deploy.seeding.writers import Stores
from libs.values.money import Money
from product_service.domain.reservation import Status
from product_service.events.published import StockReleased, StockReply
from product_service.store.product_rows import from_bson as to_product
from product_service.store.product_rows import to_bson
from product_service.store.reservations import from_bson

PRODUCTS, ORDERS = 300, 1500


def run(package: str, command: str, uri: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"MONGO_URI": uri} if uri else {})}
    argv = [sys.executable, "-m", package, command]
    return subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def stores(mysql, mongo, tmp_path_factory) -> Iterator[Stores]:
    """The databases of a shop that has just been started."""
    products, users = (mongo.replace("/microshop_test", f"/seeded_{name}") for name in ("products", "users"))
    made = Stores(
        mysql_port=mysql.port,
        database=mysql.databases[0],
        login=(mysql.user, mysql.password),
        products_uri=products,
        users_uri=users,
        note=tmp_path_factory.mktemp("seeding") / "note.json",
    )
    renew(made)  # other tests leave orders of processes that they started
    for done in (
        run("order_service", "migrate"),
        run("product_service", "indexes", products),
        run("user_service", "indexes", users),
    ):
        assert done.returncode == 0, done.stderr
    yield made
    renew(made)


def renew(made: Stores) -> None:
    """Make the database of the orders empty."""
    with closing(made.connect()) as connection:
        connection.query(f"DROP DATABASE {made.database}")
        connection.query(f"CREATE DATABASE {made.database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")


@pytest.fixture(scope="module")
def stock(stores):
    with pymongo.MongoClient(stores.products_uri, tz_aware=True) as client:
        yield client.get_default_database()


@pytest.fixture
def query(stores):
    """The rows of a query of order_service's database."""

    def fetch(sql, *parameters):
        with closing(stores.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall()

    return fetch


def indexes(stores, stock):
    found = {
        (name, index): options["key"]
        for name in stock_documents.INDEXES
        for index, options in stock[name].index_information().items()
    }
    with closing(stores.connect()) as connection:
        return found, put_off._read(connection, order_tables.INDEXES)


@pytest.fixture(scope="module")
def size(stores, stock) -> Size:
    """The story that was written."""
    before = indexes(stores, stock)
    writers.require_room(stores)
    size, rows = Size(products=PRODUCTS, orders=ORDERS, end=time.time()), {"MySQL": 0, "MongoDB": 0}

    def count(news):
        assert not news.error, news.error
        rows[news.writer] += news.rows

    writers.run(stores, size, count)
    assert set(rows.values()) == {PRODUCTS + ORDERS + size.accounts}
    assert indexes(stores, stock) == before
    assert all(before[1].values())
    assert not stores.note.exists()
    return size


def test_stock_movements_and_reservations_agree(stores, size):
    done = run("product_service", "check-stock", stores.products_uri)
    assert done.returncode == 0, done.stdout
    assert f"{PRODUCTS} products" in done.stdout
    assert done.stdout.endswith("0 violations\n")


def test_orders_that_need_stock_hold_exactly_their_pieces(size, query, stock):
    lines = "SELECT o.id, l.product_id, l.quantity FROM orders o JOIN order_lines l ON l.order_id = o.id"
    ordered: dict[str, dict[str, int]] = {}
    for order_id, product, quantity in query(f"{lines} WHERE o.status IN ('confirmed', 'shipped')"):
        ordered.setdefault(order_id, {})[product] = quantity
    held = {
        row["_id"]: {str(item["product"]): item["quantity"] for item in row["items"]}
        for row in stock["reservations"].find({"state": "RESERVED", "closed_at": None})
    }
    assert held == ordered
    assert held


def test_the_items_of_an_order_are_its_lines(query):
    columns = "order_id, product_id, name, quantity, CAST(unit_price AS CHAR), CAST(line_total AS CHAR)"
    lines: dict[str, list[dict[str, object]]] = {}
    for order_id, *line in query(f"SELECT {columns} FROM order_lines ORDER BY order_id, position"):
        names = ("productId", "name", "quantity", "unitPrice", "lineTotal")
        lines.setdefault(order_id, []).append(dict(zip(names, line, strict=True)))
    assert {order_id: json.loads(items) for order_id, items in query("SELECT id, items FROM orders")} == lines
    assert lines


def test_the_replica_of_the_catalogue_has_the_products(size, query, stock):
    columns = "product_id, name, CAST(price * 100 AS SIGNED), active, version"
    replica = set(query(f"SELECT {columns} FROM catalogue_products"))
    products = stock["products"].find()
    assert replica == {
        (str(row["_id"]), row["name"], row["price_minor"], int(row["active"]), row["version"]) for row in products
    }
    assert len(replica) == PRODUCTS


def test_a_document_of_a_product_is_what_the_service_stores(size, stock):
    for row in stock["products"].find():
        row.pop("sequence")
        made = to_bson(to_product(row, "USD"))
        assert {name: value for name, value in made.items() if value is not None} == row


def test_a_reservation_has_the_reply_that_the_service_sends(size, stock):
    seen = set()
    for row in stock["reservations"].find():
        found = from_bson(row, "EUR")
        assert {item.unit_price.currency for item in found.items} == {"USD"}
        reply = StockReleased.of(found) if found.status is Status.RELEASED else StockReply.of(found)
        assert row["answer"]["topic"] == reply.topic
        assert row["answer"]["payload"] == reply.model_dump_json(by_alias=True)
        seen.add(row["state"])
    assert seen == {"RESERVED", "RELEASED", "REJECTED"}


def test_orders_have_lines_changes_and_mails_as_their_counters_say(size, query):
    [(orders, events)] = query("SELECT COUNT(*), SUM(sequence) FROM orders")
    assert orders == ORDERS
    for table in ("order_changes", "sent_mails"):
        assert query(f"SELECT COUNT(*) FROM {table}") == ((events,),)
    assert query("SELECT MIN(number), MAX(number), (SELECT last_number FROM change_feed) FROM order_changes") == (
        (1, events, events),
    )
    wrong = """SELECT o.id FROM orders o JOIN order_lines l ON l.order_id = o.id GROUP BY o.id, o.total
    HAVING SUM(l.line_total) <> o.total OR MIN(l.position) <> 1 OR MAX(l.position) <> COUNT(*)"""
    assert query(wrong) == ()
    last = "SELECT to_status FROM order_changes c WHERE c.order_id = o.id ORDER BY c.id DESC LIMIT 1"
    assert query(f"SELECT id FROM orders o WHERE status <> ({last})") == ()
    assert query("SELECT COUNT(*) FROM orders o LEFT JOIN customers c USING (user_id) WHERE c.user_id IS NULL") == (
        (0,),
    )


def test_prices_of_lines_are_those_of_the_products(size, query):
    join = "FROM order_lines l JOIN catalogue_products p USING (product_id)"
    assert query(f"SELECT COUNT(*) {join} WHERE l.unit_price <> p.price OR l.name <> p.name") == ((0,),)
    assert (
        Money(story.product_price(0), "USD").decimal
        == query("SELECT price FROM catalogue_products WHERE product_id = %s", story.product_id(size, 0))[0][0]
    )


def test_a_second_run_is_refused(stores, size):
    with pytest.raises(LocalError, match="make reset"):
        writers.require_room(stores)


def test_indexes_that_a_killed_run_left_out_are_made_by_the_next_one(stores, stock, size):
    before = indexes(stores, stock)
    with closing(stores.connect()) as connection:
        stores.note.write_text(put_off.json.dumps(before[1]))
        connection.query("ALTER TABLE orders DROP INDEX orders_of_user")
        assert indexes(stores, stock) != before
    with pytest.raises(LocalError, match="make reset"):
        writers.require_room(stores)
    assert indexes(stores, stock) == before
