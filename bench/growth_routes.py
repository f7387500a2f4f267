"""The routes, desk pages and tasks that bench/growth.py measures: `python -m bench.growth_routes SERVICE`, in one shop.

Each takes other words, customers and products in turn. The costs go to stderr, a line of JSON each.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from bench.cpu import Client, token_of
from deploy.seeding import story
from deploy.seeding.story import DAY, HOUR, Order, Size

WARM_UP, REQUESTS, PAGES = 6, 30, 16
SAMPLES = 24  # customers, products and orders
SIZE = Size(**json.loads(os.environ.get("BENCH_STORY", '{"products": 1, "orders": 1, "end": 1}')))
VIEWER = "viewer"


class Case(NamedTuple):
    """What is measured: what it does each time, and how often."""

    what: str
    act: Callable[[], object]
    times: int = REQUESTS


def main(service: str) -> int:
    """Measure all cases of a service."""
    for case in {"order": order_cases, "product": product_cases, "user": user_cases}[service]():
        here, there = measure(case)
        print("COST", json.dumps([case.what, here, there]), file=sys.stderr)
    return 0


def measure(case: Case) -> tuple[float, float]:
    """The lower quartiles of the CPU milliseconds of this process and of the server: other work makes a request cost more."""
    for _ in range(WARM_UP):
        case.act()
    found: list[tuple[float, float]] = []
    for _ in range(case.times):
        before, began = _server_ms(), time.process_time()
        case.act()
        found.append(((time.process_time() - began) * 1000, _server_ms() - before))
    here, there = (statistics.quantiles(costs, n=4)[0] for costs in zip(*found, strict=True))
    return here, there


def _server_ms() -> float:
    """The CPU time of the threads of the server so far: sched_info's first figure, in nanoseconds (proc(5), schedstat)."""
    total = 0
    for task in Path(f"/proc/{os.environ['BENCH_SERVER']}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / 1e6


def get(client: Client, paths: Iterable[str], token: str = "") -> Callable[[], None]:
    """Read the next of these paths."""
    waiting = cycle(list(paths))

    def act() -> None:
        path = next(waiting)
        status, raw = client.send("GET", path, token)
        assert status.startswith("200"), (path, status, raw[:300])

    return act


def send(client: Client, method: str, bodies: Iterator[tuple[str, str, object]]) -> Callable[[], None]:
    """Send the next of these bodies, each with its path and token."""

    def act() -> None:
        path, token, body = next(bodies)
        status, raw = client.send(method, path, token, body)
        assert status.startswith("2"), (path, status, raw[:300])

    return act


def moment(at: float) -> str:
    """A time in a query string."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def sample_orders() -> list[Order]:
    """Orders spread over all of the story."""
    found, distance = [], max(1, SIZE.orders // SAMPLES)
    for number, order in enumerate(story.orders(SIZE)):
        if number % distance == distance // 2:
            found.append(order)
    return found


def sample(count: int) -> list[int]:
    """Numbers spread over all of so many."""
    return [count * number // SAMPLES for number in range(SAMPLES)]


def product_ids() -> list[str]:
    """Products that are sold."""
    return [story.product_id(SIZE, number) for number in sample(SIZE.products) if story.product(SIZE, number).active]


def order_cases() -> Iterator[Case]:
    """order_service: its API, its desk and its worker."""
    from libs.runtime.config import load
    from order_service.api.app import create_app
    from order_service.config import Config

    client = Client(create_app(load(Config)))
    yield from order_routes(client)
    yield from desk_pages()
    yield from order_tasks()


def _end(client: Client, token: str, most: int) -> int:
    """The last number of the feed of changes: a cursor beyond it is refused."""

    def is_beyond(number: int) -> bool:
        return not client.send("GET", f"/orders/changes?after={number}", token)[0].startswith("200")

    return bisect_left(range(1, most), True, key=is_beyond)


def order_routes(client: Client) -> Iterator[Case]:
    """The API."""
    orders, staff = sample_orders(), token_of(VIEWER)
    buyers = [token_of(user_id=story.customer_id(SIZE, order.customer)) for order in orders]
    own = cycle(buyers)
    middle, end = SIZE.end - story.DAYS * DAY / 2, SIZE.end
    names = sample(SIZE.accounts)
    lists = {
        "?limit=100": ["limit=100"],
        ", oldest first": ["sort=oldest"],
        ", a status of many": ["status=delivered"],
        ", a status of some": ["status=confirmed"],
        ", a status of few": ["status=pending"],
        ", a rare status, oldest first": ["status=rejected&sort=oldest"],
        ", placed in the last hour": [f"createdAfter={moment(end - HOUR)}"],
        ", in the middle": [f"createdBefore={moment(middle)}"],
        ", in the middle, a status": [f"createdBefore={moment(middle)}&status=cancelled"],
        ", of a customer": [f"userId={story.customer_id(SIZE, number)}" for number in names],
        ", of a customer, a status": [f"userId={story.customer_id(SIZE, it)}&status=cancelled" for it in names],
        ", of a customer with many": [f"userId={story.customer_id(SIZE, SIZE.accounts - 1)}&status=rejected"],
        ", changed lately": [f"updatedAfter={moment(end - HOUR / 4)}"],
        ", changed in a month": [f"updatedAfter={moment(end - 30 * DAY)}"],
        ", changed in a month, oldest first": [f"updatedAfter={moment(end - 30 * DAY)}&sort=oldest"],
        ", changed in a day, a status": [f"updatedAfter={moment(end - DAY)}&status=delivered"],
        ", search for an address": [f"search={story.customer_email(number)}" for number in names],
        ", search that all match": ["search=customer."],
        ", search that some match": [f"search=customer.{number // 10}" for number in names],
        ", search that none matches": ["search=nobody"],
        ", search for an id": [f"search={order.id}" for order in orders],
    }
    yield Case("GET /orders, a customer's", lambda: get(client, ["/orders?limit=20"], next(own))())
    yield Case("GET /orders, a customer's of a status", lambda: get(client, ["/orders?status=delivered"], next(own))())
    yield Case("GET /orders", get(client, ["/orders?limit=20"], staff))
    for what, queries in lists.items():
        yield Case(f"GET /orders{what}", get(client, [f"/orders?{query}" for query in queries], staff))
    yield Case("GET /orders/{id}", get(client, [f"/orders/{order.id}" for order in orders], staff))
    changes = client.json("GET", "/orders/changes", staff)
    assert changes["results"]
    yield Case("GET /orders/changes, the first", get(client, ["/orders/changes"], staff))
    last = SIZE.orders * 3
    yield Case("GET /orders/changes, in the middle", get(client, [f"/orders/changes?after={last // 2}"], staff))
    yield Case(
        "GET /orders/changes, the end", get(client, [f"/orders/changes?after={_end(client, staff, 2 * last)}"], staff)
    )
    ids = cycle(product_ids())
    bought = [{"productId": next(ids), "quantity": 1} for _ in range(5)]
    yield Case(
        "POST /orders", send(client, "POST", (("/orders", next(own), {"productId": it, "quantity": 1}) for it in ids))
    )
    yield Case(
        "POST /orders, 5 products", send(client, "POST", (("/orders", token_of(), {"items": bought}) for _ in ids))
    )


def desk_pages() -> Iterator[Case]:
    """The desk, with the session of a member of staff. Other services are unavailable, in both shops."""
    from django.contrib.auth import get_user_model
    from django.test import Client as Browser

    browser, users = Browser(headers={"accept": "text/html", "host": "127.0.0.1"}), get_user_model()
    user = users.objects.filter(username="bench").first()
    browser.force_login(user or users.objects.create_superuser("bench", "bench@example.com", "x" * 20))
    orders, base, days = (
        sample_orders(),
        "/admin/orders/order/",
        [SIZE.end - number * 3 * DAY for number in range(SAMPLES)],
    )
    names = sample(SIZE.accounts)
    pages = {
        "the list": [base],
        "page 2": [f"{base}?p=2"],
        "page 20": [f"{base}?p=20"],
        "a status of many": [f"{base}?status__exact=delivered"],
        "a status of few": [f"{base}?status__exact=pending"],
        "a month": [f"{base}?placed={datetime.fromtimestamp(day, UTC):%Y-%m}" for day in days],
        "a month and a status": [f"{base}?placed={datetime.fromtimestamp(days[9], UTC):%Y-%m}&status__exact=delivered"],
        "waiting": [f"{base}?waiting=long"],
        "a customer": [f"{base}?user_id={story.customer_id(SIZE, number)}" for number in names],
        "search for an id": [f"{base}?q={order.id}" for order in orders],
        "search for an address": [f"{base}?q={story.customer_email(number)}" for number in names],
        "search for a product": [
            f"{base}?q={quote_plus(story.product_name(number))}" for number in sample(SIZE.products)
        ],
        "search for a beginning": [f"{base}?q={name}" for name in story.ADJECTIVES],
        "search that none matches": [f"{base}?q=nobody"],
        "an order": [f"{base}{order.id}/change/" for order in orders],
        "the first page": ["/admin/"],
        "the catalogue": ["/admin/orders/catalogueproduct/"],
        "the catalogue, page 20": ["/admin/orders/catalogueproduct/?p=20"],
        "the catalogue, withdrawn": ["/admin/orders/catalogueproduct/?active__exact=0"],
        "the catalogue, by name": [f"/admin/orders/catalogueproduct/?q={name}" for name in story.ADJECTIVES],
        "the outbox": ["/admin/orders/outbox/"],
        "the form of an export": [f"{base}export/?user_id={story.customer_id(SIZE, number)}" for number in names],
    }

    def look(paths: list[str]) -> Callable[[], None]:
        waiting = cycle(paths)

        def act() -> None:
            path = next(waiting)
            answer: Any = browser.get(path)
            assert answer.status_code == 200, (path, answer.status_code)

        return act

    for what, paths in pages.items():
        yield Case(f"desk: {what}", look(paths), PAGES)


def order_tasks() -> Iterator[Case]:
    """What the worker does each second, or each minute."""
    from libs.values.times import now
    from order_service.domain.reconciliation import HeldPage
    from order_service.queries.figures import oldest_pending_seconds
    from order_service.store import reconciliation, sales
    from order_service.use_cases.orders.time_out_order import time_out_overdue_orders
    from order_service.use_cases.stock.resend_release_requests import resend_release_requests
    from order_service.use_cases.stock.resend_reservation_requests import resend_reservation_requests
    from order_service.worker.retention import purge

    open_ids = [order.id for order in story.orders(SIZE) if order.status in ("confirmed", "shipped")]
    page = HeldPage(round="R", after=None, until=open_ids[min(500, len(open_ids)) - 1], as_of=now(), held={})
    while sales.count_changes(now()) >= sales.MAX_PERIODS:
        pass
    done: list[tuple[str, Callable[[], object]]] = [
        ("resend requests", lambda: resend_reservation_requests() + resend_release_requests()),
        ("time orders out", lambda: time_out_overdue_orders(pending_limit=1800, handled_until=lambda: None)),
        ("the oldest pending order", oldest_pending_seconds),
        ("delete old rows", purge),
        ("count the sales", lambda: sales.count_changes(now() + timedelta(seconds=60))),
        ("orders that a page of reservations lacks, 20", lambda: list(_first(reconciliation.in_need(page, now()), 20))),
    ]
    for what, act in done:
        yield Case(f"worker: {what}", act, PAGES)


def _first(rows: Iterable[Any], count: int) -> Iterator[Any]:
    for row, _ in zip(rows, range(count), strict=False):
        yield row


def product_cases() -> Iterator[Case]:
    """product_service."""
    from libs.runtime.config import load
    from product_service.api.app import create_app
    from product_service.config import Config
    from product_service.store import held_rounds, old_stock, products
    from product_service.use_cases.publish_held_stock import publish_next_page

    client, staff, numbers = Client(create_app(load(Config))), token_of("staff"), sample(SIZE.products)
    names = [story.product_name(number).split() for number in numbers]
    series = [f"s{number // 7 % story.SERIES:04}" for number in numbers]
    lists = {
        "?limit=100": ["limit=100"],
        **{f"?sort={sort}": [f"sort={sort}"] for sort in ("price", "-price", "name", "stock")},
        ", a word of many": [f"search={name[1]}" for name in names],
        ", a word of few": [f"search={word}" for word in series],
        ", a word of one": [f"search={name[2]}" for name in names],
        ", two words of many": [f"search={name[0]}+{name[1]}" for name in names],
        ", words of many and of few": [f"search={name[0]}+{word}" for name, word in zip(names, series, strict=True)],
        ", words that no product has both": [f"search=lamp+{story.NOUNS[1 + number]}" for number in range(8)],
        ", a word that none has": ["search=unicorn"],
        ", a word by price": [f"search={name[1]}&sort=price" for name in names],
        ", a word of few by price": [f"search={word}&sort=price" for word in series],
        ", a category": [f"category={noun}s" for noun in story.NOUNS],
        ", a category by price": [f"category={noun}s&sort=price" for noun in story.NOUNS],
        ", a category by name": [f"category={noun}s&sort=name" for noun in story.NOUNS],
        ", a small category by price": [f"category={story.RARE_CATEGORY}&sort=price"],
        ", a word and a category": [f"search={name[0]}&category={name[1]}s" for name in names],
        ", a price": ["minPrice=100&maxPrice=101"],
        ", a price by price": ["minPrice=100&maxPrice=101&sort=price"],
        ", a price above": ["minPrice=300"],
        ", sold out": ["inStock=false"],
        ", in stock": ["inStock=true"],
        ", low stock": ["maxStock=10"],
        ", low stock by stock": ["maxStock=10&sort=stock"],
        ", low stock of a category by name": [f"maxStock=10&category={noun}s&sort=name" for noun in story.NOUNS],
        ", all at once": ["search=oak&category=Lamps&minPrice=50&maxPrice=300&inStock=true&sort=-price"],
    }
    yield Case("GET /products", get(client, ["/products"]))
    for what, queries in lists.items():
        yield Case(f"GET /products{what}", get(client, [f"/products?{query}" for query in queries]))
    yield Case("GET /products, withdrawn", get(client, ["/products?active=false"], staff))
    deep = deep_pages(client, "/products?limit=20", 30)
    yield Case("GET /products, deep pages", get(client, deep))
    ids = [story.product_id(SIZE, number) for number in numbers]
    yield Case("GET /products/{id}", get(client, [f"/products/{it}" for it in product_ids()]))
    yield Case("GET /products/offers", get(client, [f"/products/offers?ids={','.join(ids[:5])}"]))
    yield Case("GET /products/{id}/changes", get(client, [f"/products/{it}/changes" for it in ids], staff))
    for state in ("", "?state=reserved", "?state=released", "?state=rejected"):
        yield Case(f"GET /reservations{state}", get(client, [f"/reservations{state}"], staff))
    new = ({"name": f"Bench {it}", "description": story.TEXTS[0], "price": "9.90", "stock": 5} for it in range(10**6))
    yield Case("POST /products", send(client, "POST", (("/products", staff, body) for body in new)))
    some = cycle(product_ids())
    taken = ((f"/products/{it}/stock", staff, {"delta": 1, "reason": "bench"}) for it in some)
    yield Case("POST /products/{id}/stock", send(client, "POST", taken))
    prices = cycle(["9.90", "9.80", "9.70"])
    priced = ((f"/products/{it}", staff, {"price": next(prices)}) for it in some)
    yield Case("PATCH /products/{id}", send(client, "PATCH", priced))

    def publish() -> None:
        held_rounds.begin_now()
        assert publish_next_page(currency="USD")

    yield Case("worker: delete old rows", lambda: (old_stock.purge_reservations(), old_stock.purge_movements()), PAGES)
    yield Case("worker: other currencies", lambda: products.count_other_currencies("USD"), PAGES)
    yield Case("worker: a page of reservations in force", publish, PAGES)


def deep_pages(client: Client, path: str, count: int) -> list[str]:
    """The next pages of a list."""
    found: list[str] = []
    while path and len(found) < count:
        found.append(path)
        path = client.json("GET", path)["next"]
    return found


def user_cases() -> Iterator[Case]:
    """user_service."""
    from libs.runtime.config import load
    from user_service.api.app import create_app
    from user_service.config import Config

    client, admin, numbers = (
        Client(create_app(load(Config))),
        token_of("admin", "staff", "viewer"),
        sample(SIZE.accounts),
    )
    lists = {
        "": [""],
        "?limit=100": ["limit=100"],
        ", disabled": ["active=false"],
        ", active": ["active=true"],
        ", a role": ["role=staff"],
        ", search for an address": [f"search={story.customer_email(number)}" for number in numbers],
        ", search that all match": ["search=customer."],
        ", search that some match": [f"search=customer.{number // 10}" for number in numbers],
        ", search of the disabled": ["search=customer.&active=false"],
        ", search that none matches": ["search=nobody"],
    }
    for what, queries in lists.items():
        yield Case(
            f"GET /users{what}", get(client, [f"/users?{query}" if query else "/users" for query in queries], admin)
        )
    ids = [story.customer_id(SIZE, number) for number in numbers]
    yield Case("GET /users/{id}", get(client, [f"/users/{it}" for it in ids], admin))
    yield Case("GET /users/{id}/changes", get(client, [f"/users/{it}/changes" for it in ids], admin))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
