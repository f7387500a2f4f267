"""The proxy in front of Kafka UI, with a page in place of Kafka UI that allows every origin as Kafka UI does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPMessage
from pathlib import Path

import pytest

from deploy.tests.containers import Containers
from tests.e2e.conftest import wait_for

PAGE = """
import http.server

class Page(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", "*"))
        self.send_header("Access-Control-Allow-Credentials", "true")
        self.send_header("Access-Control-Allow-Methods", "GET, PUT, POST, DELETE, OPTIONS")
        self.send_header("Access-Control-Allow-Headers", "Content-Type")
        self.send_header("Access-Control-Max-Age", "3600")
        self.end_headers()
        self.wfile.write(b"the page for " + self.headers["Host"].encode())
    do_GET = do_POST = do_OPTIONS = answer

http.server.HTTPServer(("", 8080), Page).serve_forever()
"""
PAGE_ONLY = {
    "kafka-ui": {
        "image": "microshop/user-service",
        "entrypoint": ["python", "-c", PAGE.replace("$", "$$")],
        "healthcheck": {"disable": True},
    }
}


@pytest.fixture(scope="module")
def shop(images: None, directory: Path) -> Iterator[Containers]:
    """The page and the proxy, without the rest of the shop."""
    (directory / "own.yaml").write_text(json.dumps({"services": PAGE_ONLY}))
    shop = Containers(directory, "kafka-ui")
    try:
        shop.compose("--profile", "kafka-ui", "up", "-d", "--no-deps", "kafka-ui", "kafka-ui-proxy")
        wait_for(lambda: answers(shop), "the page", 60)
        yield shop
    finally:
        shop.compose("--profile", "kafka-ui", "down", "--volumes", "--timeout", "5", check=False)


def answers(shop: Containers) -> bool:
    try:
        return ask(shop, "GET")[0] == 200
    except (OSError, HTTPException):
        return False


def ask(shop: Containers, method: str, host: str = "127.0.0.1", **headers: str) -> tuple[int, HTTPMessage, str]:
    """The status, headers and text of an answer. `Host` has the published port."""
    port = int(shop.env["KAFKA_UI_PORT"])
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, "/", headers={"Host": f"{host}:{port}"} | headers)
    answer = connection.getresponse()
    found = answer.status, answer.headers, answer.read().decode()
    connection.close()
    return found


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_its_own_pages_reach_it(shop: Containers, host: str) -> None:
    address = f"{host}:{shop.env['KAFKA_UI_PORT']}"
    for headers in ({}, {"Origin": f"http://{address}"}):
        status, _, text = ask(shop, "POST", host, **headers)
        assert (status, text) == (200, f"the page for {address}")


@pytest.mark.parametrize("origin", ["https://other.example", "null", "http://127.0.0.1:1", "http://localhost"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_another_origin_gets_nothing(shop: Containers, method: str, origin: str) -> None:
    status, headers, text = ask(shop, method, Origin=origin)
    assert status == 403
    assert "the page" not in text
    assert not [name for name in headers if name.casefold().startswith("access-control-")]


def test_no_answer_allows_an_origin(shop: Containers) -> None:
    for origin in ({}, {"Origin": f"http://127.0.0.1:{shop.env['KAFKA_UI_PORT']}"}):
        _, headers, _ = ask(shop, "GET", **origin)
        assert not [name for name in headers if name.casefold().startswith("access-control-")]
        assert headers["X-Frame-Options"] == "DENY"


def test_another_host_name_gets_nothing(shop: Containers) -> None:
    assert ask(shop, "GET", "rebound.example")[0] == 421


def test_it_is_not_part_of_the_shop_by_default(shop: Containers) -> None:
    assert not {"kafka-ui", "kafka-ui-proxy"} & set(shop.services)
