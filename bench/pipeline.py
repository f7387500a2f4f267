"""What happens behind the requests: events, decisions, mails. A backlog is made by freezing who would work it off."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import MySQLdb
from MySQLdb.cursors import DictCursor
from pymongo import MongoClient

from bench import load
from bench.report import Row
from bench.shop import Data
from bench.sink import Sink
from deploy.local.errors import NotReady
from deploy.local.ports import LOOPBACK
from deploy.local.probe import call
from deploy.local.supervision.waiting import until_ready
from tests.shop import Shop

WORKERS = ("user-worker", "product-worker", "order-worker", "notification")
DRAIN_SECONDS = 240.0
QUIET_SECONDS = 3.0
PACE, PACED_ORDERS = 20, 300
SLOW_MAIL_SECONDS = 0.05


@contextmanager
def held(shop: Shop, *names: str) -> Iterator[None]:
    """Freeze processes, with their children, as long as the block."""
    groups = [shop.pid(name) for name in names]
    for group in groups:
        os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        for group in groups:
            os.killpg(group, signal.SIGCONT)


def measure_events(shop: Shop) -> Row:
    """product_service's relay: the time in which it empties the outbox that a load has filled while it was frozen."""
    client: MongoClient[dict[str, object]] = MongoClient(shop.env["MONGO_URI_PRODUCT"])
    with client:
        outbox = client.get_default_database()["outbox"]

        def check_empty() -> None:
            if outbox.find_one({}, projection=["_id"]):
                raise NotReady(f"the outbox is not empty after {DRAIN_SECONDS:.0f} s")

        pending = outbox.count_documents({})
        started = time.monotonic()
        until_ready(check_empty, DRAIN_SECONDS, every=0.02)
        seconds = time.monotonic() - started
    return Row("events published", pending / seconds, "/s", 1000, note=f"{pending:,} in the outbox")


def measure_decisions(shop: Shop, since: str) -> Row:
    """Orders newer than `since`, all of one product: from the first that is decided to the last, while mails wait."""
    with held(shop, "notification"):
        wait_decided(shop)
    query = (
        "SELECT TIMESTAMPDIFF(MICROSECOND, MIN(at), MAX(at)) / 1e6 AS seconds, COUNT(*) AS orders FROM order_changes "
        "WHERE to_status = 'confirmed' AND order_id > %s"
    )
    (row,) = _sql(shop, query, since)
    rate = row["orders"] / float(row["seconds"])
    return Row("orders decided, of one product", rate, "/s", 150, note=f"{row['orders']:,} orders waited")


def measure_confirmation(shop: Shop, data: Data) -> Row:
    """Milliseconds from an order to its confirmation, at a steady pace, mails and all."""
    began = time.monotonic()
    since = newest_order(shop)
    for number in range(PACED_ORDERS):
        time.sleep(max(0.0, began + number / PACE - time.monotonic()))
        data.ask("order", "POST", "/orders", 201, data.order_body, data.customer)
    wait_decided(shop)
    query = (
        "SELECT TIMESTAMPDIFF(MICROSECOND, o.created_at, c.at) / 1e3 AS ms "
        "FROM order_changes c JOIN orders o ON o.id = c.order_id WHERE c.to_status = 'confirmed' AND o.id > %s ORDER BY ms"
    )
    rows = _sql(shop, query, since)
    p95 = float(rows[int(len(rows) * 0.95)]["ms"])
    return Row(f"order → confirmed at {PACE}/s, p95", p95, "ms", 1000, at_most=True)


def measure_mails(shop: Shop, data: Data, sink: Sink) -> list[Row]:
    """Mails to a server that takes each at once, and to one that takes its time."""
    quick = _mails(shop, data, sink, seconds=4)
    sink.seconds_a_mail = SLOW_MAIL_SECONDS
    slow = _mails(shop, data, sink, seconds=1)
    return [
        Row("mails, to a quick server", quick, "/s", 200),
        Row(f"mails, to one that takes {SLOW_MAIL_SECONDS * 1000:.0f} ms for each", slow, "/s", 50),
    ]


def newest_order(shop: Shop) -> str:
    """The id of the latest order; those that come after it have greater ones."""
    return str(_sql(shop, "SELECT MAX(id) AS id FROM orders")[0]["id"])


def wait_decided(shop: Shop) -> None:
    """Wait until no order is pending."""

    def check() -> None:
        if _sql(shop, "SELECT 1 FROM pending_orders LIMIT 1"):
            raise NotReady(f"orders are still pending after {DRAIN_SECONDS:.0f} s")

    until_ready(check, DRAIN_SECONDS, every=0.2)


def wait_handled(shop: Shop) -> None:
    """Wait until no order is pending and every mail is sent."""

    def check() -> None:
        answer = call(int(shop.env["NOTIFICATION_SERVICE_PORT"]), "GET", "/health")
        if waiting := sum(part.get("lag", 0) for part in answer.json["checks"]["consumer"]["parts"].values()):
            raise NotReady(f"{waiting:,} mails still wait after {DRAIN_SECONDS:.0f} s")

    wait_decided(shop)
    until_ready(check, DRAIN_SECONDS, every=1)


def wait_mailed(sink: Sink) -> None:
    """Wait until no mail comes any more."""

    def check() -> None:
        if not sink.times or time.monotonic() - sink.times[-1] < QUIET_SECONDS:
            raise NotReady(f"mails still come, or none did, after {DRAIN_SECONDS:.0f} s")

    until_ready(check, DRAIN_SECONDS, every=0.2)


def _mails(shop: Shop, data: Data, sink: Sink, *, seconds: int) -> float:
    """Mails a second, from the first to the last of those that waited for orders of so many seconds of load."""
    with held(shop, "notification"):
        load.run(
            shop.url("order", "/orders"), method="POST", token=data.customer, body=data.order_body, seconds=seconds
        )
        wait_decided(shop)
        sink.times.clear()
    wait_mailed(sink)
    return (len(sink.times) - 1) / (sink.times[-1] - sink.times[0])


def _sql(shop: Shop, query: str, *values: Any) -> list[dict[str, Any]]:
    env = shop.env
    account = {"user": env["MYSQL_USER"], "passwd": env["MYSQL_PASSWORD"], "db": env["MYSQL_DATABASE"]}
    place = {"host": LOOPBACK, "port": int(env["MYSQL_PORT"]), "cursorclass": DictCursor}
    with closing(MySQLdb.connect(**place, **account, autocommit=True)) as connection:
        cursor = connection.cursor()
        cursor.execute(query, values)
        return list(cursor.fetchall())
