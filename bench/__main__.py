"""`python -m bench`: start, measure, write the table, stop."""

from __future__ import annotations

import secrets
import signal
import statistics
import sys
import time

from pymongo import MongoClient

from bench import accounts, load, memory
from bench.report import Report, Row
from bench.shop import Data, open_shop
from deploy.local.client import call
from deploy.local.errors import LocalError, NotReady
from deploy.local.progress import say, step
from deploy.local.wait import until_ready
from tests.shop import Shop

REGISTRATIONS = 40
MAIL_SECONDS = 20.0
DRAIN_SECONDS = 120.0


def main() -> int:
    """Run everything; 1 with one line on stderr when something could not be measured."""
    shop = open_shop()
    try:
        report = measure(shop)
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        shop.command("down")
    say(f"\n{report.text()}\nwritten to {report.write()}")
    return 0


def measure(shop: Shop) -> Report:
    """All figures of a shop that is started here."""
    report = Report()
    with step("starting, for the first time"):
        _up(shop)
    _down(shop)
    with step("starting again, warm"):
        report.rows.append(Row("warm `make up`", _up(shop), "s", 60, at_most=True))
    with step(f"{REGISTRATIONS} registrations, each until its mail"):
        report.rows += _measure_mails(shop)
    with step("filling the shop"):
        data = Data(shop)
    report.rows += [_measure_route(shop, data, *route) for route in _routes(data)]
    with step("accounts"):
        report.rows += accounts.measure(shop)
    with step("events published"):
        report.rows.append(_measure_events(shop, data))
    report.memory = memory.measure(shop.state)
    report.rows.append(Row("resident memory", sum(report.memory.values()), "MiB", 2048, at_most=True))
    return report


def _up(shop: Shop) -> float:
    started = time.monotonic()
    done = shop.command("up")
    if done.returncode:
        raise LocalError(f"the shop does not start: {done.stderr.strip()}")
    return time.monotonic() - started


def _down(shop: Shop) -> None:
    shop.command("down")


Route = tuple[str, str, str, str, str, object, float | None]


def _routes(data: Data) -> list[Route]:
    """service, method, path, shown as, token, body, aim a second: see README.md."""
    product = {"name": "Bench #", "price": "9.90", "stock": 5}
    return [  # orders come last: their mails go on for a while after the load
        ("product", "GET", "/products?limit=100", "/products?limit=100", "", None, 365),
        ("product", "GET", f"/products/{data.product['id']}", "/products/{id}", "", None, 875),
        ("order", "GET", "/orders?limit=20", "/orders?limit=20", data.customer, None, 280),
        ("order", "GET", f"/orders/{data.order_id}", "/orders/{id}", data.customer, None, 400),
        ("user", "GET", "/users/me", "/users/me", data.customer, None, None),
        ("user", "POST", "/login", "/login", "", data.credentials, 40),
        ("product", "POST", "/products", "/products", data.staff, product, 372),
        ("order", "POST", "/orders", "/orders", data.customer, data.order_body, 216),
    ]


def _measure_route(shop: Shop, data: Data, *route: object) -> Row:
    service, method, path, shown, token, body, aim = route
    with step(f"{method} {shown}"):
        result = load.run(shop.url(str(service), str(path)), method=str(method), token=str(token), body=body)
    if result.failed:
        raise LocalError(f"{method} {shown}: {result.failed} requests failed")
    note = f"p50 {result.p50:.1f} ms, p99 {result.p99:.1f} ms"
    return Row(f"`{method} {shown}`", result.per_second, "/s", aim if isinstance(aim, int) else None, note=note)


def _measure_mails(shop: Shop) -> list[Row]:
    """Milliseconds from the request of a registration to its mail in the catcher."""
    times = sorted(_time_of_mail(shop) for _ in range(REGISTRATIONS))
    p50, p95 = statistics.median(times), times[int(len(times) * 0.95)]
    return [Row("registration → mail, p50", p50, "ms", 300, at_most=True), Row("registration → mail, p95", p95, "ms")]


def _time_of_mail(shop: Shop) -> float:
    mailbox, name = shop.mailbox(), f"bench.{secrets.token_hex(6)}"
    email = f"{name}@example.com"

    def look() -> None:
        if not mailbox.find(email):
            raise NotReady(f"no mail came to a new customer in {MAIL_SECONDS:.0f} s")

    started = time.monotonic()
    _register(shop, name, email)
    until_ready(look, MAIL_SECONDS, every=0.01)
    return (time.monotonic() - started) * 1000


def _register(shop: Shop, username: str, email: str) -> None:
    body = {"username": username, "email": email, "password": secrets.token_urlsafe(12)}
    answer = call(int(shop.env["USER_SERVICE_PORT"]), "POST", "/register", body)
    if answer.status != 201:
        raise LocalError(f"POST /register answers {answer.status}: {answer.body[:200]!r}")


def _measure_events(shop: Shop, data: Data) -> Row:
    """Fill the outbox of product_service while its worker is frozen, then see how long it takes to empty it."""
    client: MongoClient[dict[str, object]] = MongoClient(shop.env["MONGO_URI_PRODUCT"])
    with client:
        outbox = client.get_default_database()["outbox"]

        def check_empty() -> None:
            if outbox.find_one({}, projection=["_id"]):
                raise NotReady(f"the outbox is not empty after {DRAIN_SECONDS:.0f} s")

        until_ready(check_empty, DRAIN_SECONDS, every=0.05)
        shop.kill("product-worker", signal.SIGSTOP)
        product = {"name": "Bench #", "price": "9.90", "stock": 5}
        load.run(shop.url("product", "/products"), method="POST", token=data.staff, body=product)
        pending = outbox.count_documents({})
        shop.kill("product-worker", signal.SIGCONT)
        started = time.monotonic()
        until_ready(check_empty, DRAIN_SECONDS, every=0.02)
        rate = pending / (time.monotonic() - started)
    return Row("events published", rate, "/s", 1000, note=f"{pending:,} in the outbox")


if __name__ == "__main__":
    sys.exit(main())
