"""Offsets that Kafka no longer has: the group continues at the first event, and the loss is counted."""

import secrets
from unittest.mock import Mock

import pytest
from confluent_kafka import Producer, TopicPartition

from libs.messaging.consumer.batch_consumer import BatchConsumer
from libs.messaging.kafka.clients import make_admin
from libs.messaging.kafka.topics import create_topics
from libs.tests.integration.messaging.test_consumer import running, wait_until


@pytest.fixture
def place(kafka):
    """(topic, group), with the topic of its dead letters."""
    topic, group = f"t-{secrets.token_hex(4)}", f"g-{secrets.token_hex(4)}"
    settings = {"partitions": 1, "config": {}}
    create_topics(kafka, {topic: settings, f"{topic}.{group}.dlq": settings})
    return topic, group


def publish(kafka, topic, count):
    """Events that are no events: each is a dead letter."""
    producer = Producer({"bootstrap.servers": kafka})
    for number in range(count):
        producer.produce(topic, f"not JSON {number}".encode(), b"a")
    assert producer.flush(10) == 0


def consuming(kafka, topic, group):
    return running(BatchConsumer(kafka, group, [topic], print, failures=Mock()))


def test_a_new_group_begins_at_the_first_event_and_counts_nothing(kafka, place):
    topic, group = place
    publish(kafka, topic, 3)
    with consuming(kafka, topic, group) as consumer:
        wait_until(lambda: consumer.status()["handled"] == 3)
        assert (consumer.status()["offsetsOutOfRange"], consumer.status()["stalled"]) == (0, [])


def test_events_that_were_deleted_before_they_were_handled_are_counted(kafka, place):
    topic, group = place
    publish(kafka, topic, 2)
    with consuming(kafka, topic, group) as consumer:
        wait_until(lambda: consumer.status()["handled"] == 2)
    publish(kafka, topic, 5)
    admin = make_admin(kafka)
    for future in admin.delete_records([TopicPartition(topic, 0, 4)]).values():
        future.result(10)
    with consuming(kafka, topic, group) as consumer:
        wait_until(lambda: consumer.status()["handled"] == 3)
        assert consumer.status()["offsetsOutOfRange"] == 1
