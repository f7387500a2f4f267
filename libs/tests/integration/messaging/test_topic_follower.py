"""The follower of whole topics on a real broker, and where their partitions begin and end."""

import time
from contextlib import closing

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewPartitions

from libs.messaging.kafka import topic_follower
from libs.messaging.kafka.clients import make_producer
from libs.messaging.kafka.topic_follower import TopicFollower, TopicOffsets
from libs.tests.integration.messaging.test_consumer import Channel
from libs.tests.integration.messaging.test_topic_reader import numbers


@pytest.fixture
def channel(kafka):
    channel = Channel(kafka)
    yield channel
    channel.close()


def read_until(follower, count):
    found, end = [], time.monotonic() + 30
    while len(found) < count:
        assert time.monotonic() < end, numbers(found)
        found += follower.read()
    return numbers(found)


def test_it_reads_partitions_that_the_topic_gets_while_it_runs(channel, monkeypatch):
    monkeypatch.setattr(topic_follower, "GROWTH_SECONDS", 0.2)
    for n in range(3):
        channel.send(n, partition=n)
    with closing(TopicFollower(channel.brokers, "follower", [channel.topic])) as follower:
        assert read_until(follower, 3) == [0, 1, 2]
        admin = AdminClient({"bootstrap.servers": channel.brokers})
        admin.create_partitions([NewPartitions(channel.topic, 5)])[channel.topic].result(10)
        channel._producer = make_producer(channel.brokers)  # the first one does not know the new partitions yet
        for n in (3, 4, 5):
            channel.send(n, partition=n if n < 5 else 0)
        assert read_until(follower, 3) == [3, 4, 5]
        ends = TopicOffsets(channel.brokers).ends(channel.topic)
        assert sorted(ends.values()) == [1, 1, 1, 1, 2]
        assert follower.has_read(ends)
        assert not follower.has_read(ends | {(channel.topic, 4): 2})


def test_it_begins_at_the_first_message_since_a_moment(channel):
    for n in range(3):
        channel.send(n, partition=0)
    time.sleep(0.01)  # times are milliseconds
    moment = time.time_ns() // 1_000_000
    for n in range(3, 5):
        channel.send(n, partition=0)
    found = TopicOffsets(channel.brokers).first_since(moment, channel.topic)
    assert [offset for _, (offset, _) in sorted(found.items())] == [3, 0, 0]
    assert [at >= moment for _, (_, at) in sorted(found.items())] == [True, False, False]
    starts = {place: offset for place, (offset, _) in found.items()}
    with closing(TopicFollower(channel.brokers, "follower", [channel.topic], starts=starts)) as follower:
        assert read_until(follower, 2) == [3, 4]


def test_a_topic_that_is_made_again_has_another_id_and_one_that_does_not_exist_is_refused(channel):
    offsets = TopicOffsets(channel.brokers)
    first = offsets.topic_id(channel.topic)
    assert offsets.topic_id(channel.topic) == first
    with pytest.raises(KafkaException):
        offsets.places("no-such-topic")
    with pytest.raises(KafkaException):
        offsets.topic_id("no-such-topic")
