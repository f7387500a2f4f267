"""The worker between its topics: orders come in, replies go out, malformed events become dead letters."""

from collections import Counter
from dataclasses import replace

import orjson
import pytest
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from ulid import ULID

from libs.messaging.envelope import Event
from libs.messaging.kafka.clients import make_consumer, make_producer
from libs.messaging.kafka.topics import create_topics, dead_letter_topic
from product_service.events.published import STOCK_EVENTS
from product_service.events.topics import GROUP, topics
from product_service.store.documents import db, reservations
from product_service.tests.integration.conftest import HANDLERS, order_event
from product_service.tests.integration.processes import read_events, wait_for


@pytest.fixture
def send(kafka):
    """`send(event, …)`: into its topic, as order_service's relay does."""
    create_topics(kafka, topics())
    producer = make_producer(kafka)

    def produce(*events: Event, value: bytes | None = None) -> None:
        for event in events:
            headers = {"ce_specversion": "1.0", "ce_id": event.id, "ce_type": event.type}
            headers |= {"ce_subject": event.subject, "ce_sequence": str(event.sequence), "ce_time": event.time}
            producer.produce(
                event.type, value or orjson.dumps(event.data), event.subject, headers=list(headers.items())
            )
        assert producer.flush(30) == 0

    return produce


def is_caught_up(brokers):
    """Whether the group has committed all offsets of its topics."""
    client = make_consumer(brokers, GROUP)  # reads the group's offsets; never joins it
    places = [TopicPartition(topic, p) for topic in HANDLERS[GROUP] for p in range(topics()[topic]["partitions"])]
    ends = {(p.topic, p.partition): client.get_watermark_offsets(p, timeout=10)[1] for p in places}
    try:
        committed = client.committed(places, timeout=10)
    except KafkaException:  # the group's coordinator moves
        return False
    finally:
        client.close()
    return all(max(0, place.offset) == ends[place.topic, place.partition] for place in committed)


def everything():
    names = ("products", "stock_movements", "reservations", "outbox", "outbox_dead")
    return {name: list(db()[name].find({}, {"claim": 0}).sort("_id", 1)) for name in names}  # each reading claims


def delete_offsets(brokers):
    """Let the group read its topics from their start."""
    admin = AdminClient({"bootstrap.servers": brokers})
    for done in admin.delete_consumer_groups([GROUP]).values():
        done.result(10)


def placed(product, quantity=1):
    return order_event("order-placed", [(product["id"], quantity, "19.90")])


def cancelled(order):
    return replace(order, id=str(ULID()), type="order-cancelled", sequence=order.sequence + 1)


def test_two_workers_reply_once_to_each_order_even_when_it_comes_twice(
    make, stock_of, moved, kafka, send, start_worker, run
):
    product = make(stock=10)
    orders = [placed(product) for _ in range(25)]
    with start_worker(), start_worker():
        send(*orders, *orders)
        wait_for(lambda: is_caught_up(kafka) and not everything()["outbox"])
        found = read_events(kafka, [event.topic for event in STOCK_EVENTS], {order.subject for order in orders}, 25)
        assert Counter(message.topic() for message in found.values()) == {"stock-reserved": 10, "stock-rejected": 15}
        assert {message.key().decode() for message in found.values()} == {order.subject for order in orders}
        headers = dict(next(iter(found.values())).headers())
        assert (headers["ce_source"], headers["ce_sequence"]) == (b"product_service", b"1")
        reserved = {message.key().decode() for message in found.values() if message.topic() == "stock-reserved"}
        ending = [cancelled(order) for order in orders if order.subject in reserved][:4]
        send(*ending, *ending)
        wait_for(lambda: stock_of(product["id"]) == 4)
    assert sorted(moved(product["id"])) == [-1] * 10 + [1] * 4 + [10]
    checked = run("check-stock")
    assert checked.returncode == 0, checked.stdout


def test_reading_the_topics_again_from_their_start_changes_nothing(make, kafka, send, start_worker):
    product = make(stock=3)
    orders = [placed(product) for _ in range(6)]
    send(*orders, *(cancelled(order) for order in orders[:2]))
    with start_worker():
        wait_for(lambda: is_caught_up(kafka))
        wait_for(lambda: not everything()["outbox"])
    before = everything()
    delete_offsets(kafka)
    assert not is_caught_up(kafka)
    with start_worker():
        wait_for(lambda: is_caught_up(kafka))
        wait_for(lambda: not everything()["outbox"])
    assert everything() == before


def test_a_malformed_order_becomes_a_dead_letter_and_the_next_order_is_served(make, kafka, send, start_worker, run):
    product = make(stock=3)
    bad, foreign, good = placed(product), placed(product), placed(product)
    with start_worker():
        send(bad, value=b'{"orderId": null}')
        send(replace(foreign, data={**foreign.data, "orderId": good.subject}), good)
        wait_for(lambda: is_caught_up(kafka))
    assert reservations().find_one({"_id": good.subject})["state"] == "RESERVED"
    found = read_events(kafka, [dead_letter_topic("order-placed", GROUP)], {bad.subject, foreign.subject}, 2)
    reasons = {message.key().decode(): dict(message.headers())["x-reason"] for message in found.values()}
    assert reasons[bad.subject].startswith(b"data: ")
    assert reasons[foreign.subject] == b"the key is another one"
    listed = run("dlq", "list", KAFKA_BROKERS=kafka)
    assert listed.returncode == 0, listed.stderr
    assert "the key is another one" in listed.stdout
