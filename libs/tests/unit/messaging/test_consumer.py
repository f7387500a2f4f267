"""What the consumer asks of its client."""

import json
from unittest.mock import Mock

import pytest
from confluent_kafka import OFFSET_BEGINNING, KafkaError, Message, TopicPartition

from libs.messaging.consumer.batch_consumer import BatchConsumer
from libs.messaging.consumer.group_member import STALLED_SECONDS
from libs.messaging.kafka import clients


def test_a_client_that_may_be_ending_is_not_asked_for_its_partitions(monkeypatch):
    client = Mock(spec=["incremental_assign", "incremental_unassign", "pause", "resume"])  # assignment() raises then
    monkeypatch.setattr(clients, "make_consumer", lambda *_, **__: client)
    consumer, partitions = (
        BatchConsumer("nowhere", "group", [], print, failures=Mock()),
        [TopicPartition("topic", 0), TopicPartition("topic", 1)],
    )
    consumer._on_assign(client, partitions)
    assert consumer.status()["assigned"] == 2
    consumer._pause(True)
    assert sorted(p.partition for p in client.pause.call_args.args[0]) == [0, 1]
    consumer._on_revoke(client, partitions[:1])
    assert consumer.status()["assigned"] == 1


def test_a_partition_whose_first_event_is_not_done_for_a_minute_is_stalled(monkeypatch):
    client = Mock(spec=["incremental_assign", "pause", "resume", "store_offsets", "commit"])
    monkeypatch.setattr(clients, "make_consumer", lambda *_, **__: client)
    consumer, times = BatchConsumer("nowhere", "group", ["topic"], print, failures=Mock()), [1000.0]
    monkeypatch.setattr("libs.messaging.consumer.group_member.time.monotonic", lambda: times[0])
    consumer._on_assign(client, [TopicPartition("topic", 0), TopicPartition("topic", 1)])
    for partition in (0, 1):
        consumer._accept(Message(topic="topic", partition=partition, offset=5, key=b"a", value=b"{}"))
    assert consumer.status()["stalled"] == []
    times[0] += STALLED_SECONDS + 1
    consumer._accept(Message(topic="topic", partition=1, offset=6, key=b"a", value=b"{}"))
    assert consumer.status()["stalled"] == ["topic/0", "topic/1"]
    consumer._jobs["topic", 1][0].done = True
    consumer._collect()
    assert consumer.status()["stalled"] == ["topic/0"]


def test_a_lost_offset_is_counted_and_a_new_group_is_not(monkeypatch):
    client = Mock(spec=["incremental_assign", "incremental_unassign", "pause", "resume"])
    monkeypatch.setattr(clients, "make_consumer", lambda *_, **__: client)
    consumer = BatchConsumer("nowhere", "group", ["topic"], print, failures=Mock())
    consumer._on_assign(client, [TopicPartition("topic", 0)])
    for detail, count in (
        ("no previously committed offset available: Local: No offset stored", 0),
        ("out of range", 1),
    ):
        consumer._begin_partition("topic", 0, KafkaError(KafkaError._AUTO_OFFSET_RESET, detail))
        assert consumer.status()["offsetsOutOfRange"] == count
        assert client.incremental_assign.call_args.args[0] == [TopicPartition("topic", 0, OFFSET_BEGINNING)]
    client.incremental_assign.reset_mock()
    consumer._begin_partition("topic", 7, KafkaError(KafkaError._AUTO_OFFSET_RESET, "out of range"))  # revoked since
    assert not client.incremental_assign.called


@pytest.mark.parametrize(
    ("error", "of_the_partition", "is_repeated"),
    [
        (None, None, False),
        (KafkaError(KafkaError.REBALANCE_IN_PROGRESS), None, True),
        (None, KafkaError(KafkaError.ILLEGAL_GENERATION), True),
        (KafkaError(KafkaError._NO_OFFSET), None, False),
    ],
)
def test_a_commit_that_the_broker_refuses_is_repeated_without_another_event(
    monkeypatch, error, of_the_partition, is_repeated
):
    client, times = Mock(spec=["incremental_assign", "pause", "resume", "store_offsets", "commit"]), [1000.0]
    monkeypatch.setattr(clients, "make_consumer", lambda *_, **__: client)
    monkeypatch.setattr("libs.messaging.consumer.group_member.time.monotonic", lambda: times[0])
    consumer = BatchConsumer("nowhere", "group", ["topic"], print, failures=Mock())
    consumer._on_assign(client, [TopicPartition("topic", 0)])
    consumer._accept(Message(topic="topic", partition=0, offset=5, key=b"a", value=b"{}"))
    consumer._jobs["topic", 0][0].done = True
    consumer._collect()
    assert client.commit.call_count == 1
    consumer._on_commit(error, [Mock(spec=["error"], error=of_the_partition)])
    consumer._collect()
    assert client.commit.call_count == 1  # not at once
    times[0] += consumer._commit_seconds
    consumer._collect()
    assert client.commit.call_count == (2 if is_repeated else 1)
    times[0] += consumer._commit_seconds
    consumer._collect()
    assert client.commit.call_count == (2 if is_repeated else 1)


@pytest.mark.parametrize(("app_offset", "seconds"), [(7, 0.0), (6, 60.0)])
def test_a_member_is_behind_by_what_it_has_not_fetched(monkeypatch, app_offset, seconds):
    times = [1000.0]
    monkeypatch.setattr(clients, "make_consumer", lambda *_, **__: Mock())
    monkeypatch.setattr("libs.messaging.event_metrics.time.monotonic", lambda: times[0])
    consumer = BatchConsumer("nowhere", "group", ["topic"], print, failures=Mock())
    consumer._membership = Mock()
    part = {"desired": True, "consumer_lag": 1, "hi_offset": 7, "app_offset": app_offset}
    text = json.dumps({"topics": {"topic": {"partitions": {"0": part}}}, "brokers": {}})
    consumer._on_statistics(text)
    times[0] += 60
    consumer._on_statistics(text)
    assert (consumer.status()["lag"], consumer.status()["lagSeconds"]) == (1, seconds)


def test_a_member_without_a_connection_asks_its_brokers_by_another_client(monkeypatch):
    asked = []
    monkeypatch.setattr(clients, "make_consumer", lambda *_, **__: Mock())
    monkeypatch.setattr(clients, "broker_answers", asked.append)
    consumer = BatchConsumer("nowhere", "group", ["topic"], print, failures=Mock())
    consumer._on_statistics(json.dumps({"ts": 60_000_000, "topics": {}, "brokers": {}}))
    consumer._membership.check()
    assert asked == ["nowhere"]
