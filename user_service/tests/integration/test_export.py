"""What the shop keeps about a customer, in one document."""

import threading
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from bson import ObjectId

from libs.values.times import now
from user_service.api.app import limits
from user_service.domain.errors import ExportInterrupted
from user_service.store import documents
from user_service.store.limits.rate_limits import Limiter

ORDERS = [{"id": str(number), "total": "19.90"} for number in range(5)]


class Orders(BaseHTTPRequestHandler):
    """An order_service with five orders, two a page."""

    protocol_version = "HTTP/1.1"
    broken: int = 0

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        start = int(query.get("cursor", ["0"])[0])
        page, end = self.server.page or ORDERS[start : start + 2], self.server.pages * 2 or len(ORDERS)
        following = f"http://shop.example/orders?limit=100&cursor={start + 2}" if start + 2 < end else None
        body = orjson.dumps({"next": following, "previous": None, "results": page})
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
        server.seen, server.broken, server.page, server.pages = [], 0, [], 0
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
    client.get("/users/me/export", headers=person.headers).get_data()
    assert len(orders.seen) == 3
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


def open_export(client, person):
    """An export whose response has begun."""
    answer = client.get("/users/me/export", headers=person.headers)
    assert answer.status_code == 200
    return answer


def test_a_second_export_of_an_account_is_refused_until_the_first_has_ended(client, people, orders):
    person = people.make()
    first = open_export(client, person)
    second = client.get("/users/me/export", headers=person.headers)
    assert (second.status_code, second.json["code"]) == (409, "export-in-flight")
    assert first.json["orders"] == ORDERS
    assert client.get("/users/me/export", headers=person.headers).json["orders"] == ORDERS


def test_a_client_that_leaves_holds_nothing(client, people, orders):
    person = people.make()
    for _ in range(3):
        open_export(client, person).close()
    head = client.head("/users/me/export", headers=person.headers)
    assert head.status_code == 200
    head.close()
    assert client.get("/users/me/export", headers=person.headers).json["orders"] == ORDERS


def test_the_export_of_a_process_that_was_killed_holds_its_account_for_a_short_time(client, people, orders):
    person = people.make()
    lease = {"owner": "another process", "expires_at": now() + timedelta(seconds=20)}
    documents.export_leases().insert_one({"_id": ObjectId(person.id), **lease})
    assert client.get("/users/me/export", headers=person.headers).status_code == 409
    expired = {"$set": {"expires_at": now() - timedelta(seconds=1)}}
    documents.export_leases().update_one({"_id": ObjectId(person.id)}, expired)
    assert client.get("/users/me/export", headers=person.headers).json["orders"] == ORDERS


def test_a_third_export_in_a_process_is_refused(client, people, orders):
    running = [open_export(client, people.make()) for _ in range(2)]
    person = people.make()
    refused = client.get("/users/me/export", headers=person.headers)
    assert (refused.status_code, refused.json["code"]) == (503, "busy")
    assert int(refused.headers["Retry-After"]) > 0
    running[0].close()
    assert client.get("/users/me/export", headers=person.headers).json["orders"] == ORDERS
    running[1].close()


def test_the_repeats_of_an_account_take_no_slot_from_others(client, people, orders):
    person, other = people.make(), people.make()
    running = [open_export(client, person), open_export(client, other)]
    repeated = client.get("/users/me/export", headers=person.headers)
    assert (repeated.status_code, repeated.json["code"]) == (409, "export-in-flight")
    for answer in running:
        answer.close()
    assert client.get("/users/me/export", headers=other.headers).json["orders"] == ORDERS


def test_exports_of_an_account_are_limited_and_those_that_never_began_do_not_count(
    client, people, orders, app, config, monkeypatch
):
    limiter = Limiter(documents.User._get_db(), limits(config) | {"export": "2/hour"})
    monkeypatch.setitem(app.extensions, "limiter", limiter)
    person, other = people.make(), people.make()
    orders.broken = 500
    assert {client.get("/users/me/export", headers=person.headers).status_code for _ in range(2)} == {503}
    orders.broken = 0
    for _ in range(2):
        assert client.get("/users/me/export", headers=person.headers).json["orders"] == ORDERS
    refused = client.get("/users/me/export", headers=person.headers)
    assert (refused.status_code, refused.json["code"]) == (429, "too-many-attempts")
    assert client.get("/users/me/export", headers=other.headers).json["orders"] == ORDERS


def test_an_export_that_can_not_go_on_is_no_complete_document(client, people, orders):
    person = people.make()
    answer = open_export(client, person)
    orders.broken = 503
    with pytest.raises(ExportInterrupted):
        answer.get_data()
    orders.broken = 0
    assert client.get("/users/me/export", headers=person.headers).json["orders"] == ORDERS


def test_a_slow_reader_holds_its_slot_for_a_limited_time(client, people, orders, monkeypatch):
    monkeypatch.setattr("user_service.queries.account_export.MAX_SECONDS", -1.0)
    answer = open_export(client, people.make())
    with pytest.raises(ExportInterrupted):
        answer.get_data()


def test_the_memory_of_an_export_does_not_grow_with_its_length(client, people, orders):
    line = {"productId": "a" * 24, "name": "x" * 200, "quantity": 1, "unitPrice": "9.95", "lineTotal": "9.95"}
    orders.page = [{"id": "1", "items": [line] * 50}] * 20
    orders.pages = 75  # 1,500 orders of 50 lines
    person = people.make()
    answer = open_export(client, person)
    tracemalloc.start()
    try:
        sent = sum(len(part) for part in answer.iter_encoded())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sent > 20_000_000
    assert peak < 12_000_000
