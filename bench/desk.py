"""How long staff wait at the desk of a shop with many orders: pages over HTTP, as a browser with a session asks for them."""

from __future__ import annotations

import random
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import MySQLdb
import requests
from MySQLdb.connections import Connection

from bench.percentiles import percentile
from bench.report import Row
from deploy.local.errors import LocalError
from deploy.local.ports import LOOPBACK
from deploy.seeding import order_tables, story
from deploy.seeding.story import Size
from tests.shop import Shop

ORDERS = 100_000
PRODUCTS, CUSTOMERS, PENDING = 400, 8_000, 0.01
STATUSES = ("delivered", "shipped", "confirmed", "cancelled", "rejected", "pending")
VISITS = 20  # of each page, with other words each time
LIST = "/admin/orders/order/"


def measure(shop: Shop) -> list[Row]:
    """Fill the shop with ORDERS orders, sign in, and look at each page VISITS times."""
    with closing(_connect(shop)) as connection:
        size = Size(products=PRODUCTS, orders=ORDERS, customers=CUSTOMERS, pending=PENDING, end=time.time())
        order_tables.write_orders(connection, size, story.orders(size), lambda rows: None)
        order_tables.analyse(connection)
        ids = _some_ids(connection)
    with requests.Session() as browser:
        browser.trust_env = False
        sign_in(browser, shop.url("order", "/admin/login/"), shop.env["STAFF_EMAIL"], shop.env["STAFF_PASSWORD"])
        return visit(browser, shop.url("order", ""), ids)


def _connect(shop: Shop) -> Connection:
    env = shop.env
    names = {"user": env["MYSQL_USER"], "password": env["MYSQL_PASSWORD"], "database": env["MYSQL_DATABASE"]}
    return MySQLdb.connect(host=LOOPBACK, port=int(env["MYSQL_PORT"]), charset="utf8mb4", **names)


def _some_ids(connection: Connection) -> list[str]:
    """Ids of orders, spread over all of them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orders ORDER BY id")
        ids = [str(order_id) for (order_id,) in cursor.fetchall()]
    return ids[:: len(ids) // VISITS][:VISITS]


def sign_in(browser: requests.Session, page: str, email: str, password: str) -> None:
    """Begin a session. Raises LocalError when there is none."""
    browser.get(page, timeout=10)
    form = {"username": email, "password": password, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    if browser.post(page, form, timeout=10, allow_redirects=False).status_code != 302:
        raise LocalError("the desk does not let the staff account in")


def visit(browser: requests.Session, base: str, ids: list[str]) -> list[Row]:
    """A row for each page: the 95th percentile of its answers, in milliseconds."""
    rng = random.Random(7)
    days = [f"{datetime.now(UTC) - timedelta(days=number):%Y-%m-%d}" for number in range(VISITS)]
    products = [rng.randrange(PRODUCTS) for _ in ids]
    pages = {
        "desk: list of orders": [LIST] * VISITS,
        "desk: its last page": [f"{LIST}?p=200"] * VISITS,
        "desk: a day": [f"{LIST}?placed={day}" for day in days],
        "desk: a status": [f"{LIST}?status__exact={status}" for status in STATUSES] * (VISITS // len(STATUSES)),
        "desk: search by id": [f"{LIST}?q={order_id}" for order_id in ids],
        "desk: search by e-mail": [f"{LIST}?q=customer.{number}@example.com" for number in range(VISITS)],
        "desk: search by product": [f"{LIST}?q={story.product_name(number).replace(' ', '+')}" for number in products],
        "desk: search by a beginning": [
            f"{LIST}?q={story.ADJECTIVES[number % len(story.ADJECTIVES)]}" for number in range(VISITS)
        ],
        "desk: an order": [f"{LIST}{order_id}/change/" for order_id in ids],
        "desk: first page": ["/admin/"] * VISITS,
    }
    aims = {"desk: first page": 1000}
    return [_row(browser, what, [base + path for path in paths], aims.get(what, 500)) for what, paths in pages.items()]


def _row(browser: requests.Session, what: str, urls: list[str], aim: float) -> Row:
    times = [_time(browser, url) for url in urls]
    note = f"p50 {percentile(times, 50):.0f} ms, {ORDERS:,} orders"
    return Row(f"{what}, p95", percentile(times, 95), "ms", aim, at_most=True, note=note)


def _time(browser: requests.Session, url: str) -> float:
    began = time.perf_counter()
    answer = browser.get(url, timeout=30, allow_redirects=False)
    if answer.status_code != 200:
        raise LocalError(f"{url} answers {answer.status_code}")
    return (time.perf_counter() - began) * 1000
