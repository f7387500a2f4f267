"""Kafka clients with the settings that the guarantees need.

librdkafka does not survive a fork (its issue 2374). So a process creates its clients after the fork, and web processes have none.
"""

import logging
from collections.abc import Iterable
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from libs.messaging.kafka.brokers import Brokers

MAX_MESSAGE_BYTES = 2 * 1024 * 1024
"""A broker accepts 1 MiB by default. A dead letter is larger than its original."""
ANSWER_SECONDS = 3.0  # the caller polls for no event in this time

Settings = dict[str, Any]
"""Settings of librdkafka by name."""

COMMON: Settings = {"client.id": "microshop", "reconnect.backoff.max.ms": 2000, "log_level": 4}
COMMON |= {"logger": logging.getLogger("librdkafka")}  # else it writes to stderr in its own format
PRODUCER = COMMON | {
    "enable.idempotence": True,
    "acks": "all",
    "message.timeout.ms": 0,  # messages do not expire: a gap would break the sequence of an aggregate
    "partitioner": "murmur2_random",  # as the Java clients do, so that other tools choose the same partition
    "linger.ms": 5,
    "compression.type": "lz4",
    "message.max.bytes": MAX_MESSAGE_BYTES,
}
CONSUMER = COMMON | {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "earliest",  # librdkafka's default is the end: a new group would skip the existing events
    "partition.assignment.strategy": "cooperative-sticky",
    # After a kill the partitions move this late. The classic protocol allows 10 s, KIP-848 at least 45 s.
    "session.timeout.ms": 10_000,
    "max.poll.interval.ms": 300_000,
    "allow.auto.create.topics": False,
    "topic.metadata.refresh.interval.ms": 10_000,
    "statistics.interval.ms": 2000,
    # A client that has queued.min.messages waits this long before it fetches again. The default of 1,000 stalls a quick consumer.
    "fetch.queue.backoff.ms": 10,
    "queued.max.messages.kbytes": 8192,  # as quick as the default of 64 MiB (`python -m bench.fetch`)
}


def login(brokers: Brokers) -> Settings:
    """The settings that every client of these brokers has."""
    if isinstance(brokers, str):
        return {"bootstrap.servers": brokers}
    return {
        "bootstrap.servers": brokers.brokers,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": brokers.username,
        "sasl.password": brokers.password.get_secret_value(),
    }


def make_producer(brokers: Brokers, **more: Any) -> Producer:
    """An idempotent producer. `more` are further settings."""
    return Producer(PRODUCER | login(brokers) | more)


def make_consumer(brokers: Brokers, group: str, **more: Any) -> Consumer:
    """A consumer that commits only when it is asked to. `more` are further settings and callbacks."""
    return Consumer(CONSUMER | login(brokers) | {"group.id": group} | more)


def make_admin(brokers: Brokers, **more: Any) -> AdminClient:
    """A client that reads and creates topics. `more` are further settings."""
    return AdminClient(COMMON | login(brokers) | more)


def broker_answers(brokers: Brokers) -> bool:
    """Whether a broker answers a new client within ANSWER_SECONDS. One that its controller does not count yet does not."""
    client = make_admin(brokers, **{"client.id": "microshop-question", "log_level": 0})
    try:
        return bool(client.list_topics(timeout=ANSWER_SECONDS).brokers)
    except KafkaException:
        return False


def commit_error(error: KafkaError | None, partitions: Iterable[TopicPartition]) -> KafkaError | None:
    """Why a commit was refused, from the arguments of `on_commit`. None when it was not, or when there was nothing to commit.

    The broker refuses a commit while its group rebalances.
    """
    found = next((each for each in (error, *(place.error for place in partitions)) if each), None)
    return None if found and found.code() == KafkaError._NO_OFFSET else found
