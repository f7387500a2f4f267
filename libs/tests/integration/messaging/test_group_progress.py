"""How far a group has come, on a real broker."""

import secrets
from contextlib import closing
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from libs.messaging.consumer.batch_consumer import BatchConsumer
from libs.messaging.kafka import group_progress
from libs.messaging.kafka.group_progress import GroupProgress
from libs.messaging.kafka.topics import create_topics
from libs.tests.integration.messaging.test_consumer import running, wait_until

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_group_has_handled_what_was_published_before_it_caught_up(kafka):
    topic, group = f"t-{secrets.token_hex(4)}", f"g-{secrets.token_hex(4)}"
    create_topics(
        kafka, {topic: {"partitions": 2, "config": {}}, f"{topic}.{group}.dlq": {"partitions": 2, "config": {}}}
    )
    moments = iter(BEGAN + timedelta(minutes=n) for n in range(1000))
    wait_until(lambda: has_leaders(GroupProgress(kafka, group, [topic], lambda: BEGAN)))
    progress = GroupProgress(kafka, group, [topic], lambda: next(moments))
    assert progress.handled_until() is None  # remembers the ends
    assert progress.handled_until() == BEGAN  # an empty topic is handled
    producer = Producer({"bootstrap.servers": kafka})
    producer.produce(topic, b"not JSON", b"a")
    assert producer.flush(10) == 0
    assert progress.handled_until() == BEGAN + timedelta(minutes=1)  # its ends were read before the event
    for _ in range(3):
        assert progress.handled_until() == BEGAN + timedelta(minutes=1)
    with running(BatchConsumer(kafka, group, [topic], print, failures=Mock())):
        wait_until(lambda: progress.handled_until() > BEGAN + timedelta(minutes=1))


def has_leaders(progress):
    """Whether the first call succeeds: a new topic has no leader for a moment. A call that fails has asked for the time, too."""
    with closing(progress):
        try:
            assert progress.handled_until() is None
        except KafkaException as error:
            if error.args[0].code() not in (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE):
                raise
            return False
        return True


def test_an_unavailable_broker_is_an_error(monkeypatch):
    monkeypatch.setattr(group_progress, "ADMIN_SECONDS", 0.2)
    with pytest.raises(KafkaException):
        GroupProgress("127.0.0.1:1", "group", ["topic"], lambda: BEGAN).handled_until()


def test_a_topic_that_was_deleted_is_an_error(kafka):
    with pytest.raises(KafkaException, match="UNKNOWN_TOPIC"):
        GroupProgress(kafka, "group", ["never-made"], lambda: BEGAN).handled_until()
