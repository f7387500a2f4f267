"""The open loop at a server that stops for a moment, and at one that refuses."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.open_loop import load
from bench.request import Request
from deploy.local.ports import LOOPBACK
from tests.free_ports import pick_free

STALL_SECONDS = 0.4


@contextmanager
def serving(*, status: int = 200, stall: bool = False) -> Iterator[str]:
    """A server that answers alike. With `stall` no request gets an answer for a moment, from the tenth one on."""
    turn, served = threading.Lock(), itertools.count(1)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with turn:
                if next(served) == 10 and stall:
                    time.sleep(STALL_SECONDS)
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        try:
            yield f"http://{LOOPBACK}:{server.server_port}/"
        finally:
            server.shutdown()


def test_every_request_that_was_due_while_the_server_stood_still_is_charged() -> None:
    with serving(stall=True) as url:
        found = asyncio.run(load(Request(url), 100, 1))
    assert (found.requests, found.failed) == (100, 0)
    assert found.longest >= STALL_SECONDS * 900
    assert found.p99 > found.p50
    assert found.p95 >= STALL_SECONDS * 1000 / 2  # a closed loop would have one slow request of a hundred


def test_other_answers_than_2xx_are_failures() -> None:
    with serving(status=503) as url:
        found = asyncio.run(load(Request(url), 50, 0.2))
    assert (found.requests, found.failed) == (10, 10)


def test_a_server_that_is_not_there_fails_every_request() -> None:
    (port,) = pick_free(1)
    found = asyncio.run(load(Request(f"http://{LOOPBACK}:{port}/"), 50, 0.2))
    assert (found.requests, found.failed) == (10, 10)
