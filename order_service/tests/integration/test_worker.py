"""The worker as a supervisor runs it: on a database of its own, with a real broker."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from decimal import Decimal

import MySQLdb
import orjson
import pytest
from confluent_kafka import Consumer
from ulid import ULID

from libs.messaging.envelope import EventData, new_row
from libs.messaging.kafka.clients import make_producer
from libs.messaging.kafka.topics import create_topics
from order_service.events.topics import GROUPS, topics

DEADLINE_SECONDS = 40


def run(*arguments, **environ):
    argv = [sys.executable, "-m", "order_service", *arguments]
    given = {**os.environ, **environ}
    return subprocess.run(argv, env=given, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)


def wait_for(condition):
    end = time.monotonic() + DEADLINE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < end, "the deadline passed"
        time.sleep(0.05)
    return value


@pytest.fixture(scope="module")
def query(mysql):
    """`query("SELECT 1")`: rows of the database that MYSQL_DATABASE names, which the worker uses."""
    assert run("migrate").returncode == 0
    place = {"host": "127.0.0.1", "port": mysql.port, "user": mysql.user, "password": mysql.password}
    connection = MySQLdb.connect(**place, database=mysql.databases[0], autocommit=True, charset="utf8mb4")

    def ask(sql, *values):
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()

    yield ask
    connection.close()


@pytest.fixture(scope="module")
def worker(query, kafka):
    """A running worker; ended with the module's tests."""
    process = subprocess.Popen([sys.executable, "-m", "order_service", "worker"], env=dict(os.environ))
    yield process
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE_SECONDS) == 0


class Snapshot(EventData):
    """product_service's side of a product-* event."""

    id: str
    name: str = "Lamp"
    price: str = "19.90"
    currency: str = "USD"
    active: bool = True
    version: int = 1
    stock: int = 1
    sku: None = None
    category: None = None
    updated_at: str = "2026-01-31T12:00:00.000Z"


@pytest.fixture(scope="module")
def publish(kafka):
    """`publish("product-created", id=…)`: an event as product_service sends it; `raw` sends other bytes."""
    create_topics(kafka, topics())
    producer = make_producer(kafka)

    def send(topic, raw=None, **fields):
        event = type("Sent", (Snapshot,), {"topic": topic, "__module__": __name__})(**fields)
        row = new_row(event, source="product_service", aggregate_id=event.id, sequence=event.version)
        headers = list(orjson.loads(row.headers).items())
        producer.produce(topic, raw or row.payload.encode(), event.id.encode(), headers=headers)
        assert producer.flush(10) == 0

    return send


class Answer(EventData):
    """product_service's side of stock-reserved and stock-rejected."""

    order_id: str
    items: list[dict[str, object]] = [{"productId": "0" * 24, "quantity": 1, "unitPrice": "19.90"}]
    reason: str | None = None
    shortages: list[dict[str, object]] = []


@pytest.fixture(scope="module")
def reply(kafka):
    """`reply("stock-reserved", order)`: the reply of product_service."""
    create_topics(kafka, topics())
    producer = make_producer(kafka)

    def send(topic, order, **fields):
        event = type("Sent", (Answer,), {"topic": topic, "__module__": __name__})(order_id=order, **fields)
        row = new_row(event, source="product_service", aggregate_id=order, sequence=1)
        producer.produce(topic, row.payload.encode(), order.encode(), headers=list(orjson.loads(row.headers).items()))
        assert producer.flush(10) == 0

    return send


@pytest.fixture(scope="module")
def record(kafka):
    """`record(mailed, orderId=…)`: notification_service's record of the mail of an event; it has no sequence."""
    create_topics(kafka, topics())
    producer = make_producer(kafka)

    def send(mailed, **fields):
        data = {"kind": "order-placed", "orderId": None, "sentAt": "2026-01-31T12:00:00.250Z"} | fields
        headers = {"ce_specversion": "1.0", "ce_id": str(ULID()), "ce_type": "mail-sent", "ce_source": "test"}
        producer.produce("mail-sent", orjson.dumps(data), mailed.encode(), 2, headers=list(headers.items()))
        assert producer.flush(10) == 0

    return send


@pytest.fixture
def events_of(kafka):
    """`events_of(order, "order-placed", 2)`: so many events of an order in a topic, once they are there."""
    settings = {"bootstrap.servers": kafka, "group.id": secrets.token_hex(8), "auto.offset.reset": "earliest"}
    consumer = Consumer(settings)

    def read(order, topic, count=1):
        consumer.subscribe([topic])
        found = []

        def all_there():
            message = consumer.poll(0.2)
            if message is not None and message.error() is None and message.key() == order.encode():
                found.append(message)
            return len(found) == count

        wait_for(all_there)
        return found

    yield read
    consumer.close()


@pytest.fixture
def place(query):
    """`place()`: the id of a pending order, as the web process stores it."""

    def insert(order=None):
        order = order or str(ULID())
        query(
            "INSERT INTO orders (id, user_id, user_email, username, status, total, currency, sequence, created_at, updated_at)"
            " VALUES (%s, %s, 'a@example.com', 'ann', 'pending', '19.90', 'USD', 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
            order,
            "0" * 24,
        )
        query(
            "INSERT INTO order_lines (order_id, position, product_id, name, quantity, unit_price, line_total, product_version)"
            " VALUES (%s, 1, %s, 'Lamp', 1, '19.90', '19.90', 1)",
            order,
            "0" * 24,
        )
        return order

    return insert


def test_a_new_shop_is_ready_once_the_catalogue_was_read_to_its_end(query, publish, request):
    product = secrets.token_hex(12)
    publish("product-created", id=product)
    assert query("SELECT * FROM catalogue_state") == ()
    request.getfixturevalue("worker")
    wait_for(lambda: query("SELECT 1 FROM catalogue_state WHERE ready_at IS NOT NULL"))
    assert query("SELECT price, active FROM catalogue_products WHERE product_id = %s", product) == (
        (Decimal("19.90"), 1),
    )
    [[ends]] = query("SELECT ends FROM catalogue_state")
    assert sum(orjson.loads(ends).values()) >= 1


def test_the_worker_updates_the_catalogue_and_dead_letters_malformed_events(worker, query, publish, kafka):
    product = secrets.token_hex(12)
    publish("product-created", id=product)
    publish("product-created", id=product, raw=b"{not json")
    publish("product-updated", id=product, version=2, price="25.00")
    publish("product-updated", id=product, version=3, price="much")
    publish("product-deleted", id=product, version=4, active=False)
    found = "SELECT 1 FROM catalogue_products WHERE product_id = %s AND version = 4 AND active = 0"
    wait_for(lambda: query(found, product))
    letters = {}
    settings = {"bootstrap.servers": kafka, "group.id": secrets.token_hex(8), "auto.offset.reset": "earliest"}
    consumer = Consumer(settings)
    consumer.subscribe([f"product-{kind}.order-service-catalogue.dlq" for kind in ("created", "updated")])

    def both():
        message = consumer.poll(0.2)
        if message is not None and message.error() is None and message.key() == product.encode():
            letters[message.topic()] = (message.value(), dict(message.headers())["x-reason"])
        return len(letters) == 2

    wait_for(both)
    consumer.close()
    (raw, _), (_, reason) = (letters[topic] for topic in sorted(letters))
    assert raw == b"{not json"
    assert b"price" in reason
    assert b"much" not in reason


def test_an_order_is_published_and_its_row_deleted(worker, query, events_of):
    event_id, order = str(ULID()), str(ULID())
    headers = orjson.dumps({"ce_specversion": "1.0", "ce_id": event_id, "ce_sequence": "1"}).decode()
    columns = "event_id, topic, aggregate_id, sequence, payload, headers, created_at"
    query(
        f"INSERT INTO outbox ({columns}) VALUES (%s, 'order-placed', %s, 1, '{{}}', %s, NOW(6))",
        event_id,
        order,
        headers,
    )
    wait_for(lambda: query("SELECT COUNT(*) FROM outbox") == ((0,),))
    [message] = events_of(order, "order-placed")
    assert message.value() == b"{}"
    assert dict(message.headers())["ce_id"] == event_id.encode()


def test_a_reply_decides_the_order_and_is_published(worker, query, place, reply, events_of):
    confirmed, rejected = place(), place()
    reply("stock-rejected", rejected, reason="out_of_stock")
    for _ in range(2):
        reply("stock-reserved", confirmed)
    status = "SELECT status, reason, sequence FROM orders WHERE id = %s"
    wait_for(lambda: query(status, confirmed) == (("confirmed", None, 2),))
    wait_for(lambda: query(status, rejected) == (("rejected", "out_of_stock", 2),))
    [message] = events_of(confirmed, "order-confirmed")
    assert orjson.loads(message.value())["previousStatus"] == "pending"
    [message] = events_of(rejected, "order-rejected")
    assert orjson.loads(message.value())["reason"] == "out_of_stock"


def test_a_reservation_request_is_resent_under_its_own_id(worker, query, place, events_of):
    order, event_id = place(), str(ULID())
    headers = orjson.dumps({"ce_specversion": "1.0", "ce_id": event_id, "ce_sequence": "1"}).decode()
    columns = "event_id, topic, aggregate_id, sequence, payload, headers, created_at"
    values = "(%s, 'order-placed', %s, 1, '{}', %s, NOW(6)"
    query(f"INSERT INTO pending_orders ({columns}, asks) VALUES {values}, 0)", event_id, order, headers)
    query(f"INSERT INTO outbox ({columns}) VALUES {values})", event_id, order, headers)
    wait_for(lambda: query("SELECT 1 FROM pending_orders WHERE aggregate_id = %s AND ask_at IS NOT NULL", order))
    query("UPDATE pending_orders SET ask_at = UTC_TIMESTAMP(6) WHERE aggregate_id = %s", order)
    first, again = events_of(order, "order-placed", 2)
    assert (first.value(), first.headers()) == (again.value(), again.headers())
    resent = "SELECT asks FROM pending_orders WHERE aggregate_id = %s AND ask_at IS NOT NULL"
    wait_for(lambda: query(resent, order) == ((1,),))


def test_a_dead_lettered_reply_is_replayed_by_the_dlq_command(worker, query, place, reply, events_of):
    late = str(ULID())
    reply("stock-reserved", late)
    events_of(late, "stock-reserved.order-service-stock.dlq")
    listed = run("dlq", "list")
    assert (listed.returncode, "there is no such order" in listed.stdout) == (0, True), listed.stderr
    [letter] = {line.split()[0] for line in listed.stdout.splitlines() if "no such order" in line}
    assert late in run("dlq", "show", "--id", letter).stdout
    assert run("dlq", "replay", "--id", letter).returncode == 1
    place(late)
    assert run("dlq", "replay", "--id", letter).returncode == 0
    assert query("SELECT status FROM orders WHERE id = %s", late) == (("confirmed",),)


def test_sent_mails_are_recorded_and_malformed_records_dead_lettered(worker, query, record, events_of):
    order, first, last, bad = (str(ULID()) for _ in range(4))
    for mailed, fields in ((first, {}), (bad, {"sentAt": "soon"}), (first, {}), (str(ULID()), {"orderId": None})):
        record(mailed, **{"orderId": order} | fields)
    record(last, orderId=order, kind="order-shipped")
    mails = "SELECT event_id, kind FROM sent_mails ORDER BY event_id"
    wait_for(lambda: query(mails) == ((first, "order-placed"), (last, "order-shipped")))
    [letter] = events_of(bad, "mail-sent.order-service-mails.dlq")
    assert b"sentAt" in dict(letter.headers())["x-reason"]


def test_the_workers_status_shows_every_group_and_the_dead_letter(worker, query):
    def parts():
        found = query("SELECT state FROM worker_states WHERE worker LIKE %s", f"{socket.gethostname()}:%")
        return orjson.loads(found[0][0])["parts"] if found else {}

    wait_for(lambda: parts().get("order-service-mails", {}).get("deadLetters") == 1)
    assert set(GROUPS) <= set(parts())
    assert all(parts()[group]["assigned"] for group in GROUPS)


def test_health_shows_the_status_of_the_worker(worker, query):
    wait_for(lambda: query("SELECT 1 FROM worker_states WHERE worker LIKE %s", f"{socket.gethostname()}:%"))
    assert run("check-worker").returncode == 0
    query("UPDATE worker_states SET state = JSON_SET(state, '$.beat', 1)")
    wait_for(lambda: run("check-worker").returncode == 0)  # it writes again, every two seconds


def test_the_worker_goes_on_after_the_database_broke_its_connections(worker, query, publish):
    mine = query("SELECT CONNECTION_ID()")[0][0]
    for [number] in query("SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> %s AND DB = DATABASE()", mine):
        query(f"KILL {number}")
    product = secrets.token_hex(12)
    publish("product-created", id=product)
    wait_for(lambda: query("SELECT 1 FROM catalogue_products WHERE product_id = %s", product))
    assert worker.poll() is None


def test_without_its_database_the_check_fails(query):
    assert run("check-worker", MYSQL_PORT="1").returncode == 1
