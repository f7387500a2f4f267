"""Topics: their names and settings, and their creation."""

import threading
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from libs.messaging.clients import COMMON, MAX_MESSAGE_BYTES
from libs.runtime.logs import get_logger

log = get_logger(__name__)


Topics = Mapping[str, Mapping[str, Any]]  # name → the contract's x-topic: {"partitions": int, "config": {name: text}}


DEAD_LETTER_RETENTION_MS = 30 * 24 * 3600 * 1000


ADMIN_SECONDS = 10


def dead_letter_topic(topic: str, group: str) -> str:
    """Where `group` puts the messages of `topic` that it can't handle."""
    return f"{topic}.{group}.dlq"


def dead_letter_settings(topics: Topics, group: str) -> dict[str, dict[str, Any]]:
    """The dead-letter topics of `topics`, with their settings: as many partitions, kept for 30 days."""
    config = {"cleanup.policy": "delete", "retention.ms": str(DEAD_LETTER_RETENTION_MS)}
    config |= {"max.message.bytes": str(MAX_MESSAGE_BYTES)}
    return {dead_letter_topic(t, group): {"partitions": s["partitions"], "config": config} for t, s in topics.items()}


def create_topics(brokers: str, topics: Topics) -> list[str]:
    """Create those of `topics` that do not exist; return their names. Raises KafkaException when the broker is away."""
    admin = AdminClient(COMMON | {"bootstrap.servers": brokers})
    missing = sorted(topics.keys() - admin.list_topics(timeout=ADMIN_SECONDS).topics.keys())
    new = [NewTopic(t, num_partitions=topics[t]["partitions"], config=dict(topics[t]["config"])) for t in missing]
    for future in admin.create_topics(new, operation_timeout=ADMIN_SECONDS).values() if new else ():
        try:
            future.result(ADMIN_SECONDS)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    return missing


def create_topics_patiently(brokers: str, topics: Topics, stop: threading.Event) -> None:
    """As `create_topics`, every two seconds until it works or `stop` is set."""
    while not stop.is_set():
        try:
            log.info("topics are there", created=create_topics(brokers, topics))
            return
        except KafkaException as error:
            log.warning("Kafka is away; topics are not checked yet", error=error.args[0].str())
            stop.wait(2)
