"""Kafka in a terminal or on a page, read-only: `python kafka_page.py admin|consumer …` (kaskade's commands), or `serve PORT …`.

The virtual environment of deploy/install/locks/kaskade.txt runs it. `serve` shows a command of kaskade on a page of 127.0.0.1.
The page needs the login `admin` with KAFKA_UI_PASSWORD, loads nothing from elsewhere, and answers requests to its own address only.
"""

import base64
import hmac
import os
import secrets
import shlex
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from kaskade import admin, consumer, services
from kaskade.main import cli
from textual_serve.server import Server

HOST = "127.0.0.1"
COOKIE = "kafka_page"
CHANGES = ("new", "edit", "delete")
EXPORTS = ("export_record",)  # it writes a file on the machine of the server
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self' ws://{host}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ReadOnly(Exception):
    """Raised for every change of a topic."""


def make_read_only() -> None:
    """Remove the changes: from the keys, and from the calls behind them."""

    def refuse(*_: object, **__: object) -> None:
        raise ReadOnly("this page changes nothing")

    def allow(names: tuple[str, ...]) -> Callable[..., bool]:
        return lambda _self, action, _parameters: action not in names

    admin.ListTopics.check_action = allow(CHANGES)
    for name in CHANGES:
        setattr(admin.ListTopics, f"action_{name}", refuse)
    for name in ("create", "edit", "delete", "add_partitions"):
        setattr(services.TopicService, name, refuse)
    for screen in (consumer.ListRecords, consumer.TopicScreen):
        screen.check_action = allow(EXPORTS)
        for name in EXPORTS:
            setattr(screen, f"action_{name}", refuse)


class Page(Server):
    """A command of kaskade on a page, behind a login."""

    def __init__(self, command: str, port: int, password: str) -> None:
        super().__init__(command, HOST, port, title="Kafka")
        self._login = base64.b64encode(f"admin:{password}".encode()).decode()
        self._session = secrets.token_urlsafe(32)
        self._hosts = {f"{HOST}:{port}", f"localhost:{port}"}

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse other hosts and origins, and clients that have not logged in."""
        host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
        if host not in self._hosts or (origin is not None and origin != f"http://{host}"):
            return web.Response(status=403, text="another address\n")
        if not self._is_known(request):
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="Kafka", charset="UTF-8"'})
        response = await handler(request)
        if not response.prepared:
            response.headers["Content-Security-Policy"] = POLICY.format(host=host)
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.set_cookie(COOKIE, self._session, httponly=True, samesite="Strict")
        return response

    def _is_known(self, request: web.Request) -> bool:
        """By the login. A websocket of some browsers has the cookie alone."""
        given = request.headers.get("Authorization", "").removeprefix("Basic ")
        by_login = hmac.compare_digest(given.encode(), self._login.encode())
        return by_login or hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), self._session.encode())


def main(arguments: list[str]) -> Any:
    """Run a command of kaskade read-only, or serve one."""
    if arguments[0] == "serve":
        command = shlex.join([sys.executable, __file__, *arguments[2:]])
        return Page(command, int(arguments[1]), os.environ["KAFKA_UI_PASSWORD"]).serve()
    make_read_only()
    return cli(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
