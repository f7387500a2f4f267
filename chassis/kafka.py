"""Kafka clients with the settings the guarantees rest on, and the creation of topics.

librdkafka does not survive a fork (its issue 2374): nothing here is called before one, and web processes hold no client at all.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from chassis.logs import get_logger

log = get_logger(__name__)

SESSION_TIMEOUT_MS = (
    10_000  # a killed member's partitions move after this long; KIP-848's minimum is 45 s, so: classic protocol
)
DEAD_LETTER_RETENTION_MS = 30 * 24 * 3600 * 1000


def _base(brokers: str) -> dict[str, Any]:
    return {"bootstrap.servers": brokers, "client.id": "microshop", "reconnect.backoff.max.ms": 2000, "log_level": 4}


def make_producer(brokers: str) -> Producer:
    """An idempotent producer that never gives a message up: an expired one would leave a gap in its aggregate's order."""
    return Producer(
        _base(brokers)
        | {
            "enable.idempotence": True,
            "acks": "all",
            "message.timeout.ms": 0,
            "partitioner": "murmur2_random",  # the Java clients' choice of partition, so that other tools agree
            "linger.ms": 5,
            "compression.type": "lz4",
        }
    )


def make_consumer(brokers: str, group: str, **more: Any) -> Consumer:
    """A group member that commits nothing on its own and starts a new group at the beginning (librdkafka starts at the end)."""
    return Consumer(
        _base(brokers)
        | {
            "group.id": group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": SESSION_TIMEOUT_MS,
            "max.poll.interval.ms": 300_000,
            "allow.auto.create.topics": False,
            "topic.metadata.refresh.interval.ms": 10_000,
            "statistics.interval.ms": 2000,
        }
        | more
    )


def dead_letter_topic(topic: str, group: str) -> str:
    """Where `group` puts the messages of `topic` that it can't handle."""
    return f"{topic}.{group}.dlq"


def dead_letter_settings(topics: Mapping[str, Mapping[str, Any]], group: str) -> dict[str, dict[str, Any]]:
    """Settings of the dead-letter topics of `topics` (name → x-topic settings of the contract)."""
    return {
        dead_letter_topic(name, group): {
            "partitions": settings["partitions"],
            "config": {"cleanup.policy": "delete", "retention.ms": str(DEAD_LETTER_RETENTION_MS)},
        }
        for name, settings in topics.items()
    }


def create_topics(brokers: str, topics: Mapping[str, Mapping[str, Any]], timeout: float = 10) -> list[str]:
    """Create those of `topics` that do not exist; return their names. Raises KafkaException when the broker is away."""
    admin = AdminClient(_base(brokers))
    known = admin.list_topics(timeout=timeout).topics
    new = [
        NewTopic(name, num_partitions=settings["partitions"], config=dict(settings["config"]))
        for name, settings in topics.items()
        if name not in known
    ]
    for future in admin.create_topics(new, operation_timeout=timeout).values() if new else ():
        try:
            future.result(timeout)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    return [topic.topic for topic in new]


def create_topics_patiently(
    brokers: str, topics: Mapping[str, Mapping[str, Any]], stop: threading.Event, wait_seconds: float = 2
) -> None:
    """As `create_topics`, again and again until it works or `stop` is set."""
    while not stop.is_set():
        try:
            created: Iterable[str] = create_topics(brokers, topics)
        except KafkaException as error:
            log.warning("Kafka is away; topics are not checked yet", error=error.args[0].str())
            stop.wait(wait_seconds)
        else:
            if created:
                log.info("topics created", topics=sorted(created))
            return
