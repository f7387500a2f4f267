"""What the consumer asks of its client."""

from unittest.mock import Mock

from confluent_kafka import TopicPartition

from libs.messaging import clients
from libs.messaging.consumer import EventConsumer


def test_a_client_that_may_be_ending_is_not_asked_for_its_partitions(monkeypatch):
    client = Mock(spec=["incremental_assign", "incremental_unassign", "pause", "resume"])  # assignment() raises then
    monkeypatch.setattr(clients, "make_consumer", lambda *_, **__: client)
    consumer, partitions = (
        EventConsumer("nowhere", "group", {}),
        [TopicPartition("topic", 0), TopicPartition("topic", 1)],
    )
    consumer._on_assign(client, partitions)
    assert consumer.status()["assigned"] == 2
    consumer._pause(True)
    assert sorted(p.partition for p in client.pause.call_args.args[0]) == [0, 1]
    consumer._on_revoke(client, partitions[:1])
    assert consumer.status()["assigned"] == 1
