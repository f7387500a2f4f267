"""`python -m bench`: start, measure, write the table, stop."""

from __future__ import annotations

import argparse
import secrets
import statistics
import sys
import time
from typing import Any

from bench import accounts, compare, desk, load, memory, pipeline, slow
from bench.pipeline import held
from bench.report import Report, Row
from bench.shop import Data, open_shop
from bench.sink import Sink
from deploy.local.console import say, step
from deploy.local.errors import LocalError, NotReady
from deploy.local.probe import call
from deploy.local.supervision.waiting import until_ready
from tests.shop import Shop

REGISTRATIONS = 40
MAIL_SECONDS = 20.0
DESCRIPTION = (
    "Measure a shop of its own, with nothing else running, in about twenty minutes; the table goes to bench/results/."
)


def main() -> int:
    """Run everything; 1 with one line on stderr when something could not be measured."""
    argparse.ArgumentParser(prog="python -m bench", description=DESCRIPTION).parse_args()
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
    shop.command("down")
    with step("starting again, warm"):
        report.add(Row("warm `make up`", _up(shop), "s", 60, at_most=True))
    with step(f"{REGISTRATIONS} registrations, each until its mail"):
        report.add(*_measure_mails(shop))
    with step("filling the shop"):
        data = Data(shop)
    for route in _reads(data):
        report.add(_measure_route(shop, *route))
    with step("slow clients"):
        report.add(slow.measure(shop, f"/products/{data.product['id']}"))
    with step("accounts"):
        report.add(*accounts.measure(shop))
    with held(shop, *pipeline.WORKERS):
        report.add(_measure_route(shop, *_new_product(data)))
    with step("events published"):
        report.add(pipeline.measure_events(shop))
    since = pipeline.newest_order(shop)
    with held(shop, *pipeline.WORKERS):
        report.add(_measure_route(shop, *_new_order(data)))
    with step("orders decided"):
        report.add(pipeline.measure_decisions(shop, since))
    report.add(_measure_route(shop, *_new_order(data, "POST /orders ⇒ …", None)))
    with step("working off what is left"):
        pipeline.wait_handled(shop)
    with step("orders at a steady pace"):
        report.add(pipeline.measure_confirmation(shop, data))
    report.add(*compare.measure(shop, data))
    report.memory = memory.measure(shop.state)
    report.add(Row("resident memory", sum(report.memory.values()), "MiB", 2048, at_most=True))
    with step(f"the desk, with {desk.ORDERS:,} orders more"):
        report.add(*desk.measure(shop))
    report.add(*_measure_mail_servers(shop))
    return report


def _measure_mail_servers(shop: Shop) -> list[Row]:
    """With a server of our own where the mail catcher was: the stack starts none when somebody answers there."""
    shop.command("down")
    sink = Sink(int(shop.env["SMTP_PORT"]))
    sink.start()
    with step("starting with another mail server"):
        _up(shop)
    with step("mails"):
        return pipeline.measure_mails(shop, Data(shop), sink)


def _up(shop: Shop) -> float:
    started = time.monotonic()
    done = shop.command("up")
    if done.returncode:
        raise LocalError(f"the shop does not start: {done.stderr.strip()}")
    return time.monotonic() - started


Route = tuple[str, str, str, str, str, object, float | None]
"""Service, method, path, how the table calls it, token, body, aim a second: see README.md."""


def _reads(data: Data) -> list[Route]:
    return [
        ("product", "GET", "/products?limit=100", "GET /products?limit=100", "", None, 365),
        ("product", "GET", f"/products/{data.product['id']}", "GET /products/{id}", "", None, 875),
        ("order", "GET", "/orders?limit=20", "GET /orders?limit=20", data.customer, None, 280),
        ("order", "GET", f"/orders/{data.order_id}", "GET /orders/{id}", data.customer, None, 400),
        ("user", "GET", "/users/me", "GET /users/me", data.customer, None, None),
        ("user", "POST", "/login", "POST /login", "", data.credentials, 40),
    ]


def _new_product(data: Data) -> Route:
    body = {"name": "Bench #", "price": "9.90", "stock": 5}
    return ("product", "POST", "/products", "POST /products", data.staff, body, 372)


def _new_order(data: Data, shown: str = "POST /orders", aim: float | None = 216) -> Route:
    return ("order", "POST", "/orders", shown, data.customer, data.order_body, aim)


def _measure_route(shop: Shop, *route: Any) -> Row:
    service, method, path, shown, token, body, aim = route
    with step(shown):
        result = load.run(shop.url(service, path), method=method, token=token, body=body)
    if result.failed:
        raise LocalError(f"{shown}: {result.failed} requests failed")
    note = f"p50 {result.p50:.1f} ms, p99 {result.p99:.1f} ms"
    return Row(f"`{shown}`", result.per_second, "/s", aim, note=note)


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


if __name__ == "__main__":
    sys.exit(main())
