"""`python -m bench.cpu [SERVICE …]`: the CPU time of one request, by route, in a process of the service and in its database.

A process of the service answers requests one after the other through its WSGI application, without gunicorn, against a database
server of its own. CPU times change little when other work shares the machine, unlike rates. Logs are JSON and go to a pipe.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from pydantic import SecretStr

from deploy.local.servers.mongo import Mongo
from deploy.local.servers.mysql import MySQL
from deploy.local.state import ROOT, State
from deploy.local.supervision.waiting import until_ready
from libs.access.tokens import AccessTokens
from libs.runtime.config import load
from tests.free_ports import pick_free

SERVICES = ("order", "product", "user")
PRODUCTS, ORDERS = 150, 40
WARM_UP, REQUESTS = 60, 600
Answer = tuple[str, bytes]


def main(arguments: list[str]) -> int:
    """Measure each service in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m bench.cpu", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("services", nargs="*", metavar="SERVICE", help=f"{', '.join(SERVICES)}; all without one")
    services = parser.parse_args(arguments).services
    if unknown := sorted({*services} - {*SERVICES}):
        parser.error(f"no service {unknown[0]!r}; choose from {', '.join(SERVICES)}")
    for service in services or SERVICES:
        command = [sys.executable, "-m", "bench.cpu", "--inside", service]
        environment = {**os.environ, **settings(service)}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
    return 0


def settings(service: str) -> dict[str, str]:
    """The variables that the service requires."""
    mysql_port, mongo_port, kafka_port = map(str, pick_free(3))
    limits = ("RATE_LIMIT_FAILURES", "RATE_LIMIT_REGISTER", "RATE_LIMIT_MAILS", "UNVERIFIED_OPEN_PIECES")
    return {
        "JWT_SECRET": secrets.token_urlsafe(48),
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(48),
        "ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "MYSQL_PORT": mysql_port,
        "MYSQL_DATABASE": "microshop",
        "MYSQL_USER": "microshop",
        "MYSQL_PASSWORD": secrets.token_urlsafe(24),
        "MYSQL_ROOT_PASSWORD": secrets.token_urlsafe(24),
        "MONGO_URI": f"mongodb://127.0.0.1:{mongo_port}/microshop_{service}?replicaSet=rs0",
        "KAFKA_BROKERS": f"127.0.0.1:{kafka_port}",
        "LOG_FORMAT": "json",
        **dict.fromkeys(limits, "off"),
    }


class Client:
    """Sends requests to a WSGI application in this process."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def send(self, method: str, path: str, token: str = "", body: object = None) -> Answer:
        """The status and the body of the response."""
        raw = b"" if body is None else json.dumps(body).encode()
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "CONTENT_TYPE": "application/json" if raw else "",
            "CONTENT_LENGTH": str(len(raw)) if raw else "",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(raw),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        if token:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        found: list[str] = []
        parts = self._app(environ, lambda status, headers, error=None: found.append(status))
        try:
            return found[0], b"".join(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()

    def json(self, method: str, path: str, token: str = "", body: object = None) -> Any:
        """The body of a 2xx response."""
        status, raw = self.send(method, path, token, body)
        assert status.startswith("2"), (path, status, raw[:300])
        return json.loads(raw)


def measure(what: str, server: psutil.Process, send: Callable[[], Answer]) -> None:
    """Print the CPU milliseconds of one request, here and in the server."""
    for _ in range(WARM_UP):
        status, raw = send()
        assert status.startswith("2"), (what, status, raw[:300])
    before, began, clock = server.cpu_times(), time.process_time(), time.monotonic()
    for _ in range(REQUESTS):
        send()
    here, after = time.process_time() - began, server.cpu_times()
    there = after.user + after.system - before.user - before.system
    wall = time.monotonic() - clock
    row = f"{what:28} {here / REQUESTS * 1000:6.2f} ms here {there / REQUESTS * 1000:6.2f} ms in the server"
    print(f"{row} {wall / REQUESTS * 1000:6.2f} ms of the clock", file=sys.stderr)


@contextmanager
def running(make: Callable[[State], Any]) -> Iterator[psutil.Process]:
    """A database server while the block lasts: its own process."""
    with tempfile.TemporaryDirectory() as directory:
        state = State(Path(directory))
        state.make()
        server = make(state)
        server.prepare()
        process = server.process()
        process.write_plan(state)
        launch = (
            sys.executable,
            "-m",
            "deploy.local.supervision.launch",
            str(state.path),
            process.name,
            "--die-with-parent",
        )
        child = subprocess.Popen(launch, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until_ready(server.check, 60)
            found = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
            yield max(found, key=lambda one: one.memory_info().rss)
        finally:
            child.terminate()
            child.wait(60)


def mysql(state: State) -> MySQL:
    """The server that MYSQL_* name."""
    return MySQL(
        state=state,
        port=int(os.environ["MYSQL_PORT"]),
        databases=(os.environ["MYSQL_DATABASE"],),
        user=os.environ["MYSQL_USER"],
        password=os.environ["MYSQL_PASSWORD"],
        root_password=os.environ["MYSQL_ROOT_PASSWORD"],
    )


def mongo(state: State) -> Mongo:
    """The server that MONGO_URI names."""
    return Mongo(state, int(os.environ["MONGO_URI"].rpartition("/")[0].rpartition(":")[2]))


def token_of(*roles: str, user_id: str = "") -> str:
    """A token that the services accept."""
    tokens = AccessTokens(SecretStr(os.environ["JWT_SECRET"]), "microshop", "microshop")
    return tokens.mint(user_id=user_id or secrets.token_hex(12), email="a@example.com", username="ann", roles=roles)


def order() -> None:
    """The routes of order_service."""
    with running(mysql) as server:
        subprocess.run([sys.executable, "-m", "order_service", "migrate"], cwd=ROOT, check=True, capture_output=True)
        from order_service.api.app import create_app
        from order_service.config import Config

        client = Client(create_app(load(Config)))
        from libs.values.times import now
        from order_service.store.models import CatalogueProduct

        for number in range(PRODUCTS):
            row = {"name": f"Lamp {number}", "price": "9.90", "currency": "USD", "active": True, "version": 1}
            CatalogueProduct.objects.create(product_id=f"{number:024x}", updated_at=now(), **row)
        token, body = token_of(), {"productId": f"{7:024x}", "quantity": 1}
        for _ in range(ORDERS):
            made = client.json("POST", "/orders", token, body)
        several = {"items": [{"productId": f"{number:024x}", "quantity": 1} for number in range(5)]}
        placer, buyer = token_of(), token_of()
        measure("GET /orders?limit=20", server, lambda: client.send("GET", "/orders?limit=20", token))
        measure("GET /orders?status=pending", server, lambda: client.send("GET", "/orders?status=pending", token))
        measure("GET /orders/{id}", server, lambda: client.send("GET", f"/orders/{made['orderId']}", token))
        measure("POST /orders", server, lambda: client.send("POST", "/orders", placer, body))
        measure("POST /orders, 5 products", server, lambda: client.send("POST", "/orders", buyer, several))
        measure("GET /health/live", server, lambda: client.send("GET", "/health/live"))


def product() -> None:
    """The routes of product_service."""
    with running(mongo) as server:
        subprocess.run([sys.executable, "-m", "product_service", "indexes"], cwd=ROOT, check=True, capture_output=True)
        from product_service.api.app import create_app
        from product_service.config import Config

        client, staff = Client(create_app(load(Config))), token_of("staff")
        text = "A product to measure with. " * 5
        for number in range(PRODUCTS):
            fields = {"name": f"Lamp {number}", "description": text, "price": "9.90", "stock": 10**6}
            made = client.json("POST", "/products", staff, fields)["product"]
        new = {"name": "Bench", "price": "9.90", "stock": 5}
        path = f"/products/{made['id']}"
        measure("GET /products?limit=100", server, lambda: client.send("GET", "/products?limit=100"))
        measure("GET /products/{id}", server, lambda: client.send("GET", path))
        measure("POST /products", server, lambda: client.send("POST", "/products", staff, new))
        measure("GET /health/live", server, lambda: client.send("GET", "/health/live"))


def user() -> None:
    """The routes of user_service."""
    with running(mongo) as server:
        subprocess.run([sys.executable, "-m", "user_service", "indexes"], cwd=ROOT, check=True, capture_output=True)
        from user_service.api.app import create_app
        from user_service.config import Config

        client = Client(create_app(load(Config)))
        person = {"email": "ann@example.com", "password": "Correct-horse-1"}
        client.json("POST", "/register", body=person | {"username": "ann"})
        token = client.json("POST", "/login", body=person)["token"]
        numbers = iter(range(10**6))

        def register() -> Answer:
            name = f"u{next(numbers)}"
            body = {"username": f"{name}x", "email": f"{name}@example.com", "password": "Correct-horse-1"}
            return client.send("POST", "/register", body=body)

        global REQUESTS
        measure("GET /users/me", server, lambda: client.send("GET", "/users/me", token))
        REQUESTS //= 4  # these two are slow
        measure("POST /login", server, lambda: client.send("POST", "/login", body=person))
        measure("POST /register", server, register)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        {"order": order, "product": product, "user": user}[sys.argv[2]]()
    else:
        sys.exit(main(sys.argv[1:]))
