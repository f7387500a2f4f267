"""`python -m bench.growth [COUNT [SERVICE …]]`: the cost of each route, page and task at 1,000 rows and at COUNT (a million).

Each service is measured in a process of its own, without gunicorn, on a database server of its own that holds both shops. The cost
is CPU time, of the process and of the server together: it changes little when other work shares the machine. The shops take turns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import MySQLdb
import psutil
import pymongo

from bench import cpu
from bench.report import Report
from bench.results import RESULTS
from deploy.local.console import say, step
from deploy.local.ports import LOOPBACK
from deploy.local.state import ROOT
from deploy.seeding import account_documents, order_tables, put_off, stock_documents
from deploy.seeding.story import Size

SMALL, LARGE = 1_000, 1_000_000
ROUNDS = 2  # of each shop; the lower cost counts
BOUND, ABOVE = 1.5, " **above**"
PENDING = 0.06  # share of orders without a decision
SERVICES = ("order", "product", "user")
Costs = dict[str, tuple[float, float]]
"""Milliseconds of the process and of its database server, by what was measured."""


@dataclass(frozen=True)
class Shop:
    """One of the two shops of a server."""

    name: str
    size: Size

    @property
    def variables(self) -> dict[str, str]:
        """The variables of its process: its database, and the sizes that name its rows."""
        story = {"products": self.size.products, "orders": self.size.orders, "end": self.size.end, "pending": PENDING}
        return {
            "MYSQL_DATABASE": f"shop_{self.name}",
            "MONGO_URI": f"{os.environ['MONGO_URI'].rpartition('/')[0]}/shop_{self.name}?replicaSet=rs0",
            "BENCH_STORY": json.dumps(story),
        }


def main(arguments: list[str]) -> int:
    """Measure all services and write the table; 1 when a figure is above the bound."""
    count, end = int(arguments[0]) if arguments else LARGE, time.time()
    services = arguments[1:] or SERVICES
    shops = [
        Shop(name, Size(products=it, orders=it, end=end, pending=PENDING))
        for name, it in (("small", SMALL), ("large", count))
    ]
    report, lines = Report(), list[str]()
    for service in services:
        lines += [f"| {service}_service: | | | |", *(line(*row) for row in measure(service, shops).items())]
        say("\n".join(lines))
    head = ["", f"| what | {SMALL:,} | {count:,} (process + server) | ratio |", "| --- | ---: | ---: | ---: |"]
    text = "\n".join([f"# Growth, {time.strftime('%Y-%m-%d %H:%M')}", "", report.machine, *head, *lines, ""])
    path = RESULTS / f"{time.strftime('%Y-%m-%d')}-growth.md"
    path.write_text(text)
    failed = text.count(ABOVE)
    say(f"\n{text}\n{failed} above {BOUND} times, written to {path}")
    return int(failed > 0)


def line(what: str, costs: tuple[tuple[float, float], tuple[float, float]]) -> str:
    """A row of the table."""
    small, large = costs
    ratio = sum(large) / max(sum(small), 0.001)
    shown = f"{sum(small):.2f} ms | {sum(large):.2f} ms ({large[0]:.2f} + {large[1]:.2f})"
    return f"| {what} | {shown} | {ratio:.2f}{ABOVE if ratio > BOUND else ''} |"


def measure(service: str, shops: list[Shop]) -> dict[str, tuple[tuple[float, float], tuple[float, float]]]:
    """The costs in the small and in the large shop, by what was measured."""
    os.environ.update(cpu.settings(service))
    os.environ["MYSQL_DATABASE"] = "shop_small"
    with cpu.running(cpu.mysql if service == "order" else cpu.mongo) as server:
        for shop in shops:
            with step(f"{service}: filling the {shop.name} shop"):
                fill(service, shop)
        best: dict[str, Costs] = {shop.name: {} for shop in shops}
        for turn in range(ROUNDS):
            for shop in shops:
                with step(f"{service}: measuring the {shop.name} shop, {turn + 1} of {ROUNDS}"):
                    for what, cost in run(service, shop, server).items():
                        known = best[shop.name].get(what, cost)
                        best[shop.name][what] = min(known, cost, key=sum)
        small, large = best["small"], best["large"]
        return {what: (small[what], large[what]) for what in small}


def run(service: str, shop: Shop, server: psutil.Process) -> Costs:
    """Measure one shop, in a process of its own."""
    environment = {**os.environ, **shop.variables, "BENCH_SERVER": str(server.pid)}
    command = [sys.executable, "-m", "bench.growth_routes", service]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{service}, {shop.name} shop: {done.stderr[-3000:]}")
    lines = [line for line in done.stderr.splitlines() if line.startswith("COST ")]
    return {what: (here, there) for what, here, there in (json.loads(line[5:]) for line in lines)}


def fill(service: str, shop: Shop) -> None:
    """Make the tables of a shop, and write its rows."""
    environment = {**os.environ, **shop.variables}
    if service == "order":
        _create_database(shop)
    command = [sys.executable, "-m", f"{service}_service", "migrate" if service == "order" else "indexes"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    if service == "order":
        with closing(_connect(shop.variables["MYSQL_DATABASE"])) as connection, TemporaryDirectory() as notes:
            with put_off.mysql_indexes(connection, order_tables.INDEXES, Path(notes) / "indexes.json"):
                order_tables.write(connection, shop.size, lambda rows: None)
            order_tables.analyse(connection)
        return
    with _database(shop) as db:
        if service == "user":
            account_documents.write(db, shop.size, lambda rows: None)
            return
        with put_off.mongo_indexes(db["products"], stock_documents.INDEXES["products"]):
            stock_documents.write(db, shop.size, lambda rows: None)


def _connect(database: str = "") -> MySQLdb.connections.Connection:
    env = os.environ
    place = {"host": LOOPBACK, "port": int(env["MYSQL_PORT"]), "database": database, "charset": "utf8mb4"}
    return MySQLdb.connect(user="root", password=env["MYSQL_ROOT_PASSWORD"], **place)


def _create_database(shop: Shop) -> None:
    name = shop.variables["MYSQL_DATABASE"]
    with closing(_connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
        cursor.execute(f"GRANT ALL PRIVILEGES ON {name}.* TO %s@%s", [os.environ["MYSQL_USER"], LOOPBACK])


@contextmanager
def _database(shop: Shop) -> Iterator[pymongo.database.Database[dict[str, object]]]:
    uri = shop.variables["MONGO_URI"]
    with pymongo.MongoClient[dict[str, object]](uri, tz_aware=True) as client:
        yield client[urlsplit(uri).path.lstrip("/")]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
