"""The JSON of products that a process keeps: it is that of the other routes, and never older than the database."""

import http.client
import json
import os
import subprocess
import sys
from contextlib import closing

import psutil
import pytest
from bson import ObjectId

from product_service.api.responses import to_public
from product_service.domain.errors import UnknownProduct
from product_service.queries import product_json
from product_service.queries.product_json import STATE, ProductJson, StoredVersion
from product_service.store import products as store
from product_service.store.documents import products
from product_service.tests.integration.processes import wait_for
from tests.free_ports import pick_free

READS = 4  # of each process after each change


@pytest.fixture
def kept():
    return ProductJson("USD")


def versions(*ids):
    return [StoredVersion.of(products().find_one({"_id": ObjectId(one)}, STATE)) for one in ids]


ODD = {
    "name": 'L\u00e4mp "\U0001f9c0" \\',
    "description": "a\nb",
    "sku": None,
    "imageUrl": "/a.png",
    "price": "0.05",
    "stock": 0,
}


@pytest.mark.parametrize("fields", [{}, ODD, {"category": "Lighting", "stock": 10_000_000, "price": "99999.99"}])
def test_it_is_what_a_product_is_shown_as(client, make, kept, fields):
    made = make(**fields)
    shown = to_public(store.find(made["id"], currency="USD"))
    for _ in range(2):
        [state] = kept.complete(versions(made["id"]))
        assert json.loads(state.json) == shown == made
        assert list(json.loads(state.json)) == list(shown)
        assert kept.find(made["id"]) == state
    assert client.get(f"/products/{made['id']}").data == state.json


def test_known_products_are_not_read_again(make, kept, monkeypatch):
    ids = [make()["id"] for _ in range(3)]
    read = []
    original = ProductJson._read
    monkeypatch.setattr(
        ProductJson, "_read", lambda self, missing: read.append(list(missing)) or original(self, missing)
    )
    first = kept.complete(versions(*ids[:2]))
    again = kept.complete(versions(*ids))
    assert again[:2] == first
    assert read == [[ObjectId(one) for one in ids[:2]], [ObjectId(ids[2])]]


def test_a_change_is_seen_at_once_and_so_is_the_stock(client, staff, make, kept):
    product = make(stock=5)
    path = f"/products/{product['id']}"
    kept.find(product["id"])
    client.post(path + "/stock", json={"delta": -2, "reason": "broken"}, headers=staff)
    assert kept.find(product["id"]).revision == "1.3"
    client.patch(path, json={"price": "7.00"}, headers=staff)
    found = kept.find(product["id"])
    assert (found.revision, json.loads(found.json)["price"]) == ("2.3", "7.00")


def test_what_is_read_late_is_kept_under_its_own_version(client, staff, make, kept):
    """Between the list and the reading of its product, the product changes."""
    product = make(price="1.00")
    early = versions(product["id"])
    client.patch(f"/products/{product['id']}", json={"price": "2.00"}, headers=staff)
    [state] = kept.complete(early)
    assert (state.revision, json.loads(state.json)["price"]) == ("2.100", "2.00")
    assert kept._parts.get((ObjectId(product["id"]), 1)) is None
    assert kept._parts.get((ObjectId(product["id"]), 2))


def test_a_product_that_was_withdrawn_after_its_version_was_read_is_left_out(client, staff, make, kept):
    gone, left = make(), make()
    early = versions(gone["id"], left["id"])
    client.delete(f"/products/{gone['id']}", headers=staff)
    assert [json.loads(state.json)["id"] for state in kept.complete(early)] == [left["id"]]


def test_what_is_no_product_is_unknown(kept, app):
    for wrong in ("x", "0" * 24, "", "0" * 23 + "g"):
        with pytest.raises(UnknownProduct):
            kept.find(wrong)


def test_the_cache_is_bounded(make, monkeypatch):
    monkeypatch.setattr(product_json, "GENERATION_BYTES", 4000)
    small = ProductJson("USD")
    for _ in range(12):
        small.find(make(description="x" * 500)["id"])
    parts = small._parts
    sizes = [len(p.before) + len(p.after) for half in (parts._young, parts._old) for p in half.values()]
    assert 0 < sum(sizes) <= 8000


def test_a_list_is_not_sent_again_until_it_changes(client, staff, make):
    name = f"tagged{ObjectId()}"
    product = make(name=name)
    path = f"/products?search={name}"
    first = client.get(path)
    tag = first.headers["ETag"]
    for form in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": form})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    client.post(f"/products/{product['id']}/stock", json={"delta": 1, "reason": "found"}, headers=staff)
    changed = client.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag
    assert changed.json["results"][0]["stock"] == 101


class Worker:
    """A connection to one of the web processes."""

    def __init__(self, port, pids):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.http.connect()
        local = self.http.sock.getsockname()[1]
        self.ask("GET", "/health/live")
        [self.pid] = [pid for pid in pids if local in remote_ports(pid)]

    def ask(self, method, path, body=None, headers=None):
        self.http.request(
            method, path, body and json.dumps(body), {"Content-Type": "application/json", **(headers or {})}
        )
        answer = self.http.getresponse()
        return json.loads(answer.read())


def remote_ports(pid):
    return {found.raddr.port for found in psutil.Process(pid).net_connections("tcp") if found.raddr}


@pytest.fixture
def both(app, own_environ):
    """A connection to each of two web processes."""
    [port] = pick_free(1)
    environ = {**os.environ, **own_environ, "PRODUCT_SERVICE_PORT": str(port)}
    server = subprocess.Popen([sys.executable, "-m", "product_service", "web"], env=environ)
    found = {}
    try:
        pids = wait_for(lambda: [p.pid for p in psutil.Process(server.pid).children()] if is_open(port) else [])

        def connect():
            worker = Worker(port, pids)
            if found.setdefault(worker.pid, worker) is not worker:
                worker.http.close()
            return len(found) == 2

        wait_for(connect)
        yield list(found.values())
    finally:
        for worker in found.values():
            worker.http.close()
        server.terminate()
        assert server.wait(60) == 0


def is_open(port):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as http_client:
        try:
            http_client.request("GET", "/health/ready")
            return http_client.getresponse().status == 200
        except OSError:
            return False


def test_no_process_shows_what_another_one_has_replaced(both, staff, make):
    product = make(stock=50)
    path, listing = f"/products/{product['id']}", f"/products?search={product['name'].split()[1]}"
    for number in range(40):
        writer = both[number % 2]
        if number % 4 == 3:
            wanted = writer.ask("POST", path + "/stock", {"delta": -1, "reason": "broken"}, staff)
        else:
            wanted = writer.ask("PATCH", path, {"description": f"number {number}"}, staff)
        for reader in both:
            for _ in range(READS):
                assert reader.ask("GET", path) == wanted
                assert reader.ask("GET", listing)["results"] == [wanted]
