"""The plain peer: the same routes as small Express and FastAPI services, without outbox, saga or limits.

It is what a straightforward sample does: the client's price, bcrypt, and events that a request sends itself. Both run as two
processes, as our web services do, on the servers of the shop that is measured.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import MySQLdb

from bench.request import registrations
from deploy.local.errors import LocalError, NotReady
from deploy.local.ports import LOOPBACK
from deploy.local.probe import call
from deploy.local.state import ROOT
from deploy.local.supervision.waiting import until_ready
from libs.messaging.kafka.topics import create_topics
from tests.free_ports import pick_free
from tests.shop import Shop

HERE = Path(__file__).parent
INSTALLED = ROOT / ".local" / "bench-peers"
PRODUCTS, ORDERS = 150, 40
READY_SECONDS = 30.0
TOPICS = ("peer-user-registered", "peer-order-placed", "peer-product-created")
TABLES = (
    "CREATE TABLE peer_orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, user_id CHAR(24) NOT NULL, status VARCHAR(10) NOT NULL,"
    " total DECIMAL(12,2) NOT NULL, currency CHAR(3) NOT NULL, created_at DATETIME(6) NOT NULL, INDEX (user_id, id))",
    "CREATE TABLE peer_items (id BIGINT AUTO_INCREMENT PRIMARY KEY, order_id BIGINT NOT NULL, product_id CHAR(24) NOT NULL,"
    " name VARCHAR(200) NOT NULL, quantity INT NOT NULL, price DECIMAL(12,2) NOT NULL, INDEX (order_id))",
)


@dataclass(frozen=True)
class Peer:
    """The running peer: its addresses and processes, and a customer with products and orders."""

    urls: dict[str, str]
    token: str
    accounts: dict[str, str]
    product_id: str
    order_id: int
    pids: dict[str, int]

    @property
    def order_body(self) -> dict[str, Any]:
        """A body for POST /orders."""
        return {"productId": self.product_id, "quantity": 1, "productPrice": 9.9}


def install() -> None:
    """Install the packages of both, by their locks. Raises LocalError."""
    node, venv = INSTALLED / "express", INSTALLED / "venv"
    node.mkdir(parents=True, exist_ok=True)
    for path in (HERE / "express").iterdir():
        (node / path.name).write_bytes(path.read_bytes())
    _run("npm", "ci", "--silent", cwd=node)
    if not (venv / "bin" / "uvicorn").exists():
        _run(sys.executable, "-m", "venv", str(venv))
    lock = str(HERE / "fastapi" / "requirements.txt")
    _run(str(venv / "bin" / "pip"), "install", "-q", "--require-hashes", "--no-deps", "-r", lock)


@contextmanager
def running(shop: Shop) -> Iterator[Peer]:
    """The peer on the servers of `shop`, which must run. Its databases are its own, and are dropped at the end."""
    ports = dict(zip(("user", "order", "product"), pick_free(3), strict=True))
    environment = _environment(shop)
    _prepare_mysql(shop)
    create_topics(shop.env["KAFKA_BROKERS"], {topic: {"partitions": 3, "config": {}} for topic in TOPICS})
    python = INSTALLED / "venv" / "bin"
    options = ("--workers=2", "--no-access-log", "--log-level=warning", f"--port={ports['product']}")
    uvicorn = (str(python / "uvicorn"), "product:app", *options)
    commands = {"user": ("node", "user.js"), "order": ("node", "order.js"), "product": uvicorn}
    places = {"user": INSTALLED / "express", "order": INSTALLED / "express", "product": HERE / "fastapi"}
    children = dict[str, subprocess.Popen[bytes]]()
    try:
        for name, command in commands.items():
            env = environment | {"PORT": str(ports[name])}
            children[name] = subprocess.Popen(command, cwd=places[name], env=env, start_new_session=True)
        yield _fill(ports, {name: child.pid for name, child in children.items()})
    finally:
        for child in children.values():
            os.killpg(child.pid, signal.SIGTERM)
        for child in children.values():
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:  # uvicorn waits for requests that do not end
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def _environment(shop: Shop) -> dict[str, str]:
    uri = shop.env["MONGO_URI_USER"].replace("/microshop_user", "/peer")
    names = (
        "MYSQL_HOST",
        "MYSQL_PORT",
        "MYSQL_USER",
        "MYSQL_PASSWORD",
        "MYSQL_DATABASE",
        "KAFKA_BROKERS",
        "JWT_SECRET",
    )
    return {name: shop.env.get(name, LOOPBACK) for name in names} | {
        "MONGO_URI": uri,
        "PATH": os.environ["PATH"],
        "NODE_ENV": "production",
    }


def _prepare_mysql(shop: Shop) -> None:
    root = MySQLdb.connect(
        host=LOOPBACK,
        port=int(shop.env["MYSQL_PORT"]),
        user="root",
        password=shop.env["MYSQL_ROOT_PASSWORD"],
        database=shop.env["MYSQL_DATABASE"],
    )
    try:
        for statement in ("DROP TABLE IF EXISTS peer_items, peer_orders", *TABLES):
            root.query(statement)
    finally:
        root.close()  # type: ignore[no-untyped-call]


def _fill(ports: dict[str, int], pids: dict[str, int]) -> Peer:
    for port in ports.values():
        until_ready(lambda port=port: _check(port), READY_SECONDS)  # type: ignore[misc]
    tag = secrets.token_hex(5)
    credentials = {"email": f"peer.{tag}@example.com", "password": secrets.token_urlsafe(12)}
    _ask(ports["user"], "POST", "/register", credentials | {"username": f"peer.{tag}"})
    token: str = _ask(ports["user"], "POST", "/login", credentials)["token"]
    accounts = {"email": f"peer.{tag}.~@example.com", "password": credentials["password"]}
    for person in registrations(accounts):
        _ask(ports["user"], "POST", "/register", person)
    body: dict[str, Any] = {"description": "A product to measure with. " * 5, "price": 9.9, "stock": 10**6}
    for number in range(PRODUCTS):
        made = _ask(ports["product"], "POST", "/products", body | {"name": f"Peer {number}"}, token)
    product_id: str = made["product"]["id"]
    order = {"productId": product_id, "quantity": 1, "productPrice": 9.9}
    ids = [_ask(ports["order"], "POST", "/orders", order, token)["orderId"] for _ in range(ORDERS)]
    urls = {name: f"http://{LOOPBACK}:{port}" for name, port in ports.items()}
    return Peer(urls, token, accounts, product_id, ids[-1], pids)


def _check(port: int) -> None:
    try:
        answer = call(port, "GET", "/health")
    except OSError as error:
        raise NotReady(f"the peer does not answer on port {port}") from error
    if answer.status != 200:
        raise NotReady(f"the peer answers {answer.status} on port {port}")


def _ask(port: int, method: str, path: str, body: object, token: str = "") -> Any:
    answer = call(port, method, path, body, token)
    if answer.status not in (200, 201):
        raise LocalError(f"the peer answers {answer.status} to {method} {path}: {answer.body[:200]!r}")
    return json.loads(answer.body)


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalError(f"{' '.join(command[:3])} failed: {(done.stderr or done.stdout).strip()[-500:]}")
