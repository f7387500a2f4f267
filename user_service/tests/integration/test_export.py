"""What the shop keeps about a customer, in one document."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

ORDERS = [{"id": str(number), "total": "19.90"} for number in range(5)]


class Orders(BaseHTTPRequestHandler):
    """An order_service with five orders, two a page."""

    protocol_version = "HTTP/1.1"
    broken: int = 0

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        start = int(query.get("cursor", ["0"])[0])
        following = f"http://shop.example/orders?limit=100&cursor={start + 2}" if start + 2 < len(ORDERS) else None
        body = orjson.dumps({"next": following, "previous": None, "results": ORDERS[start : start + 2]})
        self.server.seen.append(self.headers["Authorization"])
        self.send_response(self.server.broken or 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def orders(app, config, monkeypatch) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Orders) as server:
        server.seen, server.broken = [], 0
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setitem(app.extensions, "config", config.model_copy(update={"order_service_url": url}))
        yield server
        server.shutdown()
        thread.join()


def test_an_export_holds_account_sessions_and_all_orders(client, people, orders):
    person = people.make()
    answer = client.get("/users/me/export", headers=person.headers)
    assert answer.status_code == 200
    assert answer.json["account"] == client.get("/users/me", headers=person.headers).json
    assert [session["current"] for session in answer.json["sessions"]] == [True]
    assert answer.json["orders"] == ORDERS
    assert "attachment" in answer.headers["Content-Disposition"]


def test_the_orders_are_asked_for_with_the_callers_own_token(client, people, orders):
    person = people.make()
    client.get("/users/me/export", headers=person.headers)
    assert set(orders.seen) == {person.headers["Authorization"]}


@pytest.mark.parametrize(("status", "answered"), [(503, 503), (500, 503), (401, 401)])
def test_what_order_service_can_not_say_is_not_left_out(client, people, orders, status, answered):
    orders.broken = status
    assert client.get("/users/me/export", headers=people.make().headers).status_code == answered


def test_while_order_service_is_unavailable_the_export_is_too(client, people, app, config, monkeypatch):
    nowhere = config.model_copy(update={"order_service_url": "http://127.0.0.1:1"})
    monkeypatch.setitem(app.extensions, "config", nowhere)
    answer = client.get("/users/me/export", headers=people.make().headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
