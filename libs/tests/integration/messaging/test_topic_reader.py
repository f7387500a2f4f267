"""The topic reader on a real broker: it reads to the end, and on from there."""

from contextlib import closing

import pytest
from confluent_kafka import KafkaException, TopicPartition

from libs.messaging.kafka import topic_reader
from libs.messaging.kafka.topic_reader import TopicReader
from libs.messaging.kafka.topics import first_offsets
from libs.tests.integration.messaging.test_consumer import Channel


@pytest.fixture
def channel(kafka):
    channel = Channel(kafka)
    yield channel
    channel.close()


def numbers(messages):
    return sorted(int(message.value().decode().strip('{"n:}')) for message in messages)


def test_it_reads_all_partitions_to_their_end(channel):
    for n in range(7):
        channel.send(n, partition=n % 2)  # the third partition stays empty
    with closing(
        TopicReader(channel.brokers, "reader", first_offsets(channel.brokers, [channel.topic])[channel.topic])
    ) as reader:
        assert not reader.at_end
        assert numbers(reader.read_to_end(20)) == list(range(7))
        assert reader.at_end


def test_it_starts_at_the_offsets_that_it_is_given(channel):
    for n in range(4):
        channel.send(n, partition=0)
    with closing(TopicReader(channel.brokers, "reader", [TopicPartition(channel.topic, 0, 3)])) as reader:
        assert numbers(reader.read_to_end(20)) == [3]


def test_a_batch_is_bounded(channel, monkeypatch):
    monkeypatch.setattr(topic_reader, "BATCH_SIZE", 2)
    for n in range(5):
        channel.send(n, partition=0)
    with closing(TopicReader(channel.brokers, "reader", [TopicPartition(channel.topic, 0, 0)])) as reader:
        found = []
        while not reader.at_end:
            batch = reader.read()
            assert len(batch) <= 2
            found += batch
    assert numbers(found) == list(range(5))


def test_after_the_end_it_reads_what_comes(channel):
    with closing(
        TopicReader(channel.brokers, "reader", first_offsets(channel.brokers, [channel.topic])[channel.topic])
    ) as reader:
        assert list(reader.read_to_end(20)) == []
        channel.send(0)
        found = []
        while not found:
            found = reader.read()
    assert numbers(found) == [0]


def test_an_unavailable_broker_is_an_error_after_the_time_limit():
    starts = [TopicPartition("things", 0, 0)]
    with closing(TopicReader("127.0.0.1:1", "reader", starts)) as reader, pytest.raises(KafkaException) as refused:
        list(reader.read_to_end(0.5))
    assert "things can't be read to the end" in refused.value.args[0].str()
