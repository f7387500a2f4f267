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

from bench import goals, load
from bench.report import Row
from bench.request import Request
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


def measure_backlogs(shop: Shop, data: Data, seconds: int) -> list[Row]:
    """Products and orders are accepted while the workers are frozen. Then the time in which what waits is worked off."""
    new_product = Request(
        shop.url("product", "/products"), "POST", data.staff, {"name": "B #", "price": "9.90", "stock": 5}
    )
    with held(shop, *WORKERS):
        load.run(new_product, seconds)
    rows = [_measure_events(shop)]
    since = newest_order(shop)
    with held(shop, *WORKERS):
        load.run(new_order(shop, data), seconds)
    rows.append(_measure_decisions(shop, since))
    wait_handled(shop)
    return rows


def measure_sustained(shop: Shop, data: Data, sink: Sink, seconds: int) -> Row:
    """All orders of a load with everybody at work: from the first request until both mails of each are taken."""
    wait_handled(shop)
    sink.clear()
    began, since = time.monotonic(), newest_order(shop)
    load.run(new_order(shop, data), seconds)
    orders = count_orders(shop, since)

    def check() -> None:
        if len(sink.times) < 2 * orders:
            raise NotReady(f"{2 * orders - len(sink.times):,} of {2 * orders:,} mails did not come")

    until_ready(check, DRAIN_SECONDS, every=0.1)
    took = sorted(sink.times)[2 * orders - 1] - began
    return goals.row(
        goals.SUSTAINED, orders / took, note=f"{orders:,} orders in {took:.1f} s, {seconds} s of them with load"
    )


def measure_mail_servers(shop: Shop, data: Data, sink: Sink) -> list[Row]:
    """Mails to a server that takes each at once, and to one that takes its time, beside everything else."""
    quick = _mails(shop, data, sink, seconds=4)
    sink.seconds_a_mail = SLOW_MAIL_SECONDS
    slow = _mails(shop, data, sink, seconds=1)
    sink.seconds_a_mail = 0.0
    return [
        Row("mails that waited, to a quick server", quick, "/s", 200),
        Row(f"mails that waited, to one that takes {SLOW_MAIL_SECONDS * 1000:.0f} ms for each", slow, "/s", 50),
    ]


def new_order(shop: Shop, data: Data) -> Request:
    """An order of one product."""
    return Request(shop.url("order", "/orders"), "POST", data.customer, data.order_body)


def newest_order(shop: Shop) -> str:
    """The id of the latest order; those that come after it have greater ones."""
    return str(sql(shop, "SELECT MAX(id) AS id FROM orders")[0]["id"])


def count_orders(shop: Shop, since: str) -> int:
    """How many orders are newer than this one."""
    return int(sql(shop, "SELECT COUNT(*) AS orders FROM orders WHERE id > %s", since)[0]["orders"])


def wait_decided(shop: Shop) -> float:
    """Wait until no order is pending. Returns the seconds."""
    began = time.monotonic()

    def check() -> None:
        if sql(shop, "SELECT 1 FROM pending_orders LIMIT 1"):
            raise NotReady(f"orders are still pending after {DRAIN_SECONDS:.0f} s")

    until_ready(check, DRAIN_SECONDS, every=0.2)
    return time.monotonic() - began


def wait_handled(shop: Shop) -> None:
    """Wait until no order is pending and every mail is sent."""

    def check() -> None:
        answer = call(int(shop.env["NOTIFICATION_SERVICE_PORT"]), "GET", "/health")
        if waiting := sum(part.get("lag", 0) for part in answer.json["checks"]["consumer"]["parts"].values()):
            raise NotReady(f"{waiting:,} mails still wait after {DRAIN_SECONDS:.0f} s")

    wait_decided(shop)
    until_ready(check, DRAIN_SECONDS, every=1)


def sql(shop: Shop, query: str, *values: Any) -> list[dict[str, Any]]:
    """The rows of a query in order_service's database."""
    env = shop.env
    account = {"user": env["MYSQL_USER"], "passwd": env["MYSQL_PASSWORD"], "db": env["MYSQL_DATABASE"]}
    place = {"host": LOOPBACK, "port": int(env["MYSQL_PORT"]), "cursorclass": DictCursor}
    with closing(MySQLdb.connect(**place, **account, autocommit=True)) as connection:
        cursor = connection.cursor()
        cursor.execute(query, values)
        return list(cursor.fetchall())


def _measure_events(shop: Shop) -> Row:
    """product_service's relay: the time in which it empties the outbox."""
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


def _measure_decisions(shop: Shop, since: str) -> Row:
    """Orders newer than `since`, all of one product: from the first that is decided to the last, while mails wait."""
    with held(shop, "notification"):
        wait_decided(shop)
    query = (
        "SELECT TIMESTAMPDIFF(MICROSECOND, MIN(at), MAX(at)) / 1e6 AS seconds, COUNT(*) AS orders FROM order_changes "
        "WHERE to_status = 'confirmed' AND order_id > %s"
    )
    (row,) = sql(shop, query, since)
    rate = row["orders"] / max(float(row["seconds"]), 0.001)
    return goals.row(goals.HOT_PRODUCT, rate, note=f"{row['orders']:,} orders waited")


def _mails(shop: Shop, data: Data, sink: Sink, *, seconds: int) -> float:
    """Mails a second, from the first to the last of those that waited for orders of so many seconds of load."""
    with held(shop, "notification"):
        load.run(new_order(shop, data), seconds)
        wait_decided(shop)
        sink.clear()
    _wait_mailed(sink)
    return (len(sink.times) - 1) / (sink.times[-1] - sink.times[0])


def _wait_mailed(sink: Sink) -> None:
    """Wait until no mail comes any more."""

    def check() -> None:
        if not sink.times or time.monotonic() - sink.times[-1] < QUIET_SECONDS:
            raise NotReady(f"mails still come, or none did, after {DRAIN_SECONDS:.0f} s")

    until_ready(check, DRAIN_SECONDS, every=0.2)
