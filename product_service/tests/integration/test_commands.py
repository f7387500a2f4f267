"""The commands, run as an operator and a supervisor run them, on real servers."""

import os
import secrets
import signal
import subprocess
import sys
import time

import mongoengine
import orjson
import pytest
from bson import ObjectId
from confluent_kafka import Consumer

from product_service.models import products
from product_service.republish import republish_products
from product_service.seed import CATALOGUE
from product_service.topics import topics

DEADLINE_SECONDS = 30


@pytest.fixture
def run(config):
    """`run("seed", MONGO_URI=…)`: a command to its end."""
    own = {"MONGO_URI": config.mongo_uri.get_secret_value()}

    def command(name, **environ):
        argv = [sys.executable, "-m", "product_service", name]
        given = {**os.environ, **own, **environ}
        return subprocess.run(argv, env=given, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)

    return command


@pytest.fixture
def worker(config, kafka):
    """A running worker; ended with the test."""
    own = {"MONGO_URI": config.mongo_uri.get_secret_value(), "KAFKA_BROKERS": kafka}
    process = subprocess.Popen([sys.executable, "-m", "product_service", "worker"], env={**os.environ, **own})
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()


def wait_for(condition):
    end = time.monotonic() + DEADLINE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < end, "the deadline passed"
        time.sleep(0.05)
    return value


def test_seeding_twice_adds_each_product_once(app, run, config):
    database = f"seed_{secrets.token_hex(4)}"
    uri = config.mongo_uri.get_secret_value().replace("/product_service_test", f"/{database}")
    outputs = [run("seed", MONGO_URI=uri).stdout for _ in range(2)]
    entries = len(orjson.loads(CATALOGUE.read_bytes()))
    assert outputs == [f"{entries} products added\n", "0 products added\n"]
    made = mongoengine.get_connection()[database]
    assert made["outbox"].count_documents({"topic": "product-created"}) == entries
    assert made["products"].count_documents({}) == entries
    mongoengine.get_connection().drop_database(database)


def test_republishing_sends_every_product_with_its_present_version(client, staff, make, pending):
    gone, many = make(), [make()["id"] for _ in range(3)]
    client.delete(f"/products/{gone['id']}", headers=staff)
    count = republish_products(currency="USD")
    assert count == products().count_documents({})
    for product_id in many:
        rows = pending(product_id)
        assert [(row["topic"], row["sequence"]) for row in rows] == [("product-created", 1), ("product-updated", 2)]
        assert orjson.loads(rows[1]["payload"])["version"] == 1
    last = pending(gone["id"])[-1]
    assert (last["topic"], last["sequence"]) == ("product-updated", 3)
    assert orjson.loads(last["payload"])["active"] is False


def test_republishing_goes_on_where_a_batch_ends(make, pending, monkeypatch):
    monkeypatch.setattr("product_service.republish.BATCH", 7)
    made = [make()["id"] for _ in range(10)]
    assert republish_products(currency="USD") == products().count_documents({})
    assert [len(pending(product_id)) for product_id in made] == [2] * 10


def test_the_republish_command_says_how_many(run, make):
    make()
    assert run("republish").stdout == f"{products().count_documents({})} products will be sent again by the worker\n"


def test_indexes_may_be_made_again(run):
    assert run("indexes").returncode == 0


@pytest.mark.parametrize("command", ["web", "worker", "check-config"])
def test_a_bad_configuration_ends_every_process_with_78_and_one_line(run, command):
    ended = run(command, MONGO_URI="", JWT_SECRET="too-short-and-never-shown")
    assert ended.returncode == 78
    assert ended.stderr.count("\n") == 1
    assert "MONGO_URI" in ended.stderr
    assert "JWT_SECRET" in ended.stderr
    assert "never-shown" not in ended.stderr + ended.stdout


def test_the_worker_publishes_what_was_stored_and_stops_when_told(client, staff, make, pending, kafka, worker, run):
    product = make(name="Lamp", price="12.50")
    client.patch(f"/products/{product['id']}", json={"price": "13.00"}, headers=staff)
    wait_for(lambda: not pending(product["id"]))
    events = read_events(kafka, product["id"], 2)
    created, updated = events["product-created"], events["product-updated"]
    assert orjson.loads(created.value())["price"] == "12.50"
    assert orjson.loads(updated.value())["price"] == "13.00"
    headers = {name: value.decode() for name, value in updated.headers()}
    assert (headers["ce_type"], headers["ce_source"]) == ("product-updated", "product_service")
    assert (headers["ce_subject"], headers["ce_sequence"]) == (product["id"], "2")
    wait_for(lambda: run("check-worker").returncode == 0)
    assert client.get("/health").json["checks"]["worker"]["parts"]["relay"]["pending"] == 0
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(DEADLINE_SECONDS) == 0


def read_events(brokers, product_id, count):
    """The events of one product by topic."""
    consumer = Consumer(
        {"bootstrap.servers": brokers, "group.id": f"test-{ObjectId()}", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(list(topics()))
    found = {}

    def read():
        message = consumer.poll(0.5)
        if message is not None and not message.error() and message.key() == product_id.encode():
            found[message.topic()] = message
        return len(found) == count

    wait_for(read)
    consumer.close()
    return found
