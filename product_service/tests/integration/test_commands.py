"""The commands on real servers, run as an operator and a supervisor run them."""

import re
import secrets

import mongoengine
import orjson
import pytest
from bson import ObjectId

from libs.mongo_store.cluster import MongoCluster
from product_service.commands.seed import CATALOGUE
from product_service.store.documents import db, products
from product_service.tests.integration.processes import read_events, wait_for
from product_service.use_cases.publish_held_stock import publish_next_page
from product_service.use_cases.republish_products import republish_products, version_floor


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
    inactive, many = make(), [make()["id"] for _ in range(3)]
    client.delete(f"/products/{inactive['id']}", headers=staff)
    count = republish_products(currency="USD")
    assert count == products().count_documents({})
    for product_id in many:
        rows = pending(product_id)
        assert [(row["topic"], row["sequence"]) for row in rows] == [("product-created", 1), ("product-updated", 2)]
        assert orjson.loads(rows[1]["payload"])["version"] == 1
    last = pending(inactive["id"])[-1]
    assert (last["topic"], last["sequence"]) == ("product-updated", 3)
    assert orjson.loads(last["payload"])["active"] is False


def test_republishing_continues_where_a_batch_ends(make, pending, monkeypatch):
    monkeypatch.setattr("product_service.use_cases.republish_products.BATCH_SIZE", 7)
    made = [make()["id"] for _ in range(10)]
    assert republish_products(currency="USD") == products().count_documents({})
    assert [len(pending(product_id)) for product_id in made] == [2] * 10


def test_the_republish_command_says_how_many(run, make):
    make()
    assert run("republish").stdout == f"{products().count_documents({})} products will be sent again by the worker\n"


def test_a_restored_catalogue_rises_above_every_version_that_was_given(make, pending, run):
    product = make()
    products().update_one({"_id": ObjectId(product["id"])}, {"$set": {"version": 2_000_000_000}})
    other, floor = make(), version_floor()
    printed = run("republish", "--restored").stdout
    told = int(re.search(r"retire-products --below (\d+)", printed).group(1))
    assert floor <= told <= version_floor()
    found = {str(row["_id"]): row for row in products().find()}
    assert found[product["id"]]["version"] == 2_000_000_001
    assert {row["version"] for key, row in found.items() if key != product["id"]} == {told}
    event = pending(other["id"])[-1]
    assert (event["topic"], orjson.loads(event["payload"])["version"], event["sequence"]) == (
        "product-updated",
        told,
        found[other["id"]]["sequence"],
    )
    assert event["sequence"] > told


def test_versions_stay_below_two_to_the_31st_for_decades():
    assert 100 * 60 * 24 * 366 * 39 < 2**31
    assert version_floor() > 0


@pytest.fixture
def known_cluster(config):
    store = MongoCluster(db())
    yield store
    db()["kafka_cluster"].delete_many({})


def test_another_cluster_ends_the_worker_with_words_until_it_is_accepted(known_cluster, run, kafka, start_worker):
    known_cluster.keep("another")
    ended = run("worker", KAFKA_BROKERS=kafka)
    assert ended.returncode == 70
    assert "another Kafka cluster" in ended.stderr + ended.stdout
    accepted = run("accept-cluster", KAFKA_BROKERS=kafka)
    assert (accepted.returncode, "it was another" in accepted.stdout) == (0, True)
    db()["worker_states"].delete_many({})
    with start_worker():
        wait_for(lambda: db()["worker_states"].find_one({"parts.cluster": {"$exists": True}}))


def test_the_reservations_in_force_are_published_on_demand(app, run):
    publish_next_page(currency="USD")
    assert run("publish-held").returncode == 0
    assert publish_next_page(currency="USD")


def test_the_indexes_command_may_run_again(run):
    assert run("indexes").returncode == 0


@pytest.mark.parametrize("command", ["web", "worker", "check-config"])
def test_a_bad_configuration_ends_every_process_with_78_and_one_line(run, command):
    ended = run(command, MONGO_URI="", JWT_SECRET="too-short-and-never-shown")
    assert ended.returncode == 78
    assert ended.stderr.count("\n") == 1
    assert "MONGO_URI" in ended.stderr
    assert "JWT_SECRET" in ended.stderr
    assert "never-shown" not in ended.stderr + ended.stdout


def test_the_worker_publishes_stored_events_and_stops_on_request(
    client, staff, make, pending, kafka, start_worker, run
):
    product = make(name="Lamp", price="12.50")
    client.patch(f"/products/{product['id']}", json={"price": "13.00"}, headers=staff)
    with start_worker():
        wait_for(lambda: not pending(product["id"]))
        found = read_events(kafka, ["product-created", "product-updated"], {product["id"]}, 2)
        by_topic = {message.topic(): message for message in found.values()}
        created, updated = by_topic["product-created"], by_topic["product-updated"]
        assert orjson.loads(created.value())["price"] == "12.50"
        assert orjson.loads(updated.value())["price"] == "13.00"
        headers = {name: value.decode() for name, value in updated.headers()}
        assert (headers["ce_type"], headers["ce_source"]) == ("product-updated", "product_service")
        assert (headers["ce_subject"], headers["ce_sequence"]) == (product["id"], "2")
        wait_for(lambda: run("check-worker").returncode == 0)
        assert client.get("/health").json["checks"]["worker"]["parts"]["relay"]["pending"] == 0
