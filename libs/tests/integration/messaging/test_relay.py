"""The relay from a real MongoDB to a real broker."""

import secrets
import threading
import uuid
from dataclasses import replace
from functools import partial

import orjson
import pytest

from libs.messaging.envelope import OutboxRow, new_row, parse
from libs.messaging.kafka.clients import make_producer
from libs.messaging.kafka.topics import create_topics
from libs.messaging.relay import Relay
from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.transactions import in_transaction
from libs.tests.integration.mongo_store.test_mongo_store import row

SETTINGS = {"partitions": 3, "config": {"cleanup.policy": "delete"}}


@pytest.fixture
def topic(kafka):
    name = f"things-{uuid.uuid4().hex}"
    assert create_topics(kafka, {name: SETTINGS}) == [name]
    assert create_topics(kafka, {name: SETTINGS}) == []
    return name


def store(db, rows):
    outbox = MongoOutbox(db)
    in_transaction(db, lambda session: outbox.add_all(rows, session))
    return outbox


def run_until(relay, condition):
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    try:
        for _ in range(400):
            if condition():
                return
            stop.wait(0.05)
        pytest.fail(f"not reached in 20 s: {relay.status()}")
    finally:
        stop.set()
        thread.join(15)


def test_every_row_reaches_its_topic_in_order_and_leaves_the_outbox(db, kafka, topic, read_topic):
    rows = [
        replace(row(f"{a}{n}", a, n), topic=topic, headers='{"ce_id": "x"}')
        for n in range(1, 101)
        for a in ("a", "b", "c")
    ]
    outbox = store(db, rows)
    relay = Relay(outbox, partial(make_producer, kafka))
    run_until(relay, lambda: relay.status()["pending"] == 0)
    messages = read_topic(topic, 300)
    for aggregate in ("a", "b", "c"):
        own = [m for m in messages if m.key() == aggregate.encode()]
        assert len({m.partition() for m in own}) == 1
    assert relay.status()["published"] == 300


def test_one_aggregate_keeps_its_sequence_on_the_topic(db, kafka, topic, read_topic):
    rows = [replace(row(n, "a", n), topic=topic, payload=orjson.dumps({"n": n}).decode()) for n in range(1, 51)]
    outbox = store(db, list(reversed(rows)))
    relay = Relay(outbox, partial(make_producer, kafka))
    run_until(relay, lambda: relay.status()["pending"] == 0)
    assert [orjson.loads(m.value())["n"] for m in read_topic(topic, 50)] == list(range(1, 51))


def test_an_event_that_the_broker_never_accepts_moves_to_dead_and_the_rest_is_published(db, kafka, topic, read_topic):
    too_large = replace(row("large", "a", 1), topic=topic, payload=secrets.token_hex(1_000_000))
    outbox = store(db, [too_large, replace(row("small", "b", 1), topic=topic)])
    relay = Relay(outbox, partial(make_producer, kafka))
    run_until(relay, lambda: relay.status()["pending"] == 0)
    assert relay.status()["buried"] == 1
    assert [m.key() for m in read_topic(topic, 1)] == [b"b"]


def test_with_an_unavailable_broker_rows_stay_and_the_relay_still_stops(db):
    outbox = store(db, [row(1)])
    relay = Relay(outbox, partial(make_producer, "127.0.0.1:1"))
    beat = relay.heartbeat
    run_until(relay, lambda: relay.heartbeat > beat)
    assert [r.event_id for r in outbox.pending(10)] == ["1"]


def test_what_the_relay_sends_is_what_a_consumer_reads(db, kafka, topic, read_topic):
    from typing import ClassVar

    from libs.messaging.envelope import EventData

    class ThingMade(EventData):
        topic: ClassVar[str]
        thing_id: str

    ThingMade.topic = topic
    made: OutboxRow = new_row(ThingMade(thing_id="t1"), source="things", aggregate_id="t1", sequence=1)
    relay = Relay(store(db, [made]), partial(make_producer, kafka))
    run_until(relay, lambda: relay.status()["pending"] == 0)
    event = parse(read_topic(topic, 1)[0])
    assert (event.id, event.subject, event.data) == (made.event_id, "t1", {"thingId": "t1"})


def test_of_two_relays_one_publishes_and_the_other_takes_over_when_it_stops(db, kafka, topic):
    outbox = store(db, [replace(row(1, "a", 1), topic=topic)])
    first, second = (Relay(outbox, partial(make_producer, kafka)) for _ in range(2))
    run_until(first, lambda: first.status()["published"] == 1)
    assert not first.status()["pending"]
    store(db, [replace(row(2, "a", 2), topic=topic)])
    run_until(second, lambda: second.status()["published"] == 1)


def test_a_relay_without_the_lease_publishes_nothing(db, kafka, topic):
    outbox = store(db, [replace(row(1, "a", 1), topic=topic)])
    assert outbox.renew_lease("another", 60)
    relay = Relay(outbox, partial(make_producer, kafka))
    beat = relay.heartbeat
    run_until(relay, lambda: relay.heartbeat > beat)
    assert (relay.status()["leader"], relay.status()["pending"]) == (False, 1)
