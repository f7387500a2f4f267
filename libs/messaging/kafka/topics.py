"""Topics: their names and settings, and their creation."""

import threading
from collections.abc import Iterable, Mapping

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource  # type: ignore[attr-defined] # its types leave out what the package exports
from confluent_kafka.cimpl import NewTopic

from contracts import TopicSettings
from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.clients import MAX_MESSAGE_BYTES, make_admin
from libs.runtime.logs import get_logger

log = get_logger(__name__)

DEAD_LETTER_RETENTION_MS = 30 * 24 * 3600 * 1000
ADMIN_SECONDS = 10
RETRY_SECONDS = 2.0
DEFAULT_RETENTION_MS = str(7 * 24 * 3600 * 1000)  # Kafka's own, of topics that name none

Topics = Mapping[str, TopicSettings]
"""Topics by name."""


def dead_letter_topic(topic: str, group: str) -> str:
    """The topic that holds the dead letters of `topic` in `group`."""
    return f"{topic}.{group}.dlq"


def dead_letter_settings(topics: Topics, group: str) -> dict[str, TopicSettings]:
    """The dead-letter topics of `topics`, with their settings: as many partitions, kept for 30 days."""
    config = {"cleanup.policy": "delete", "retention.ms": str(DEAD_LETTER_RETENTION_MS)}
    config |= {"max.message.bytes": str(MAX_MESSAGE_BYTES)}
    return {dead_letter_topic(t, group): {"partitions": s["partitions"], "config": config} for t, s in topics.items()}


def create_topics(brokers: Brokers, topics: Topics) -> list[str]:
    """Create the topics that do not exist. Return their names. Raises KafkaException when the broker is unavailable.

    A broker may list a new topic late, and another process may create one at the same time: those are not returned.
    """
    admin = make_admin(brokers)
    missing = sorted(topics.keys() - admin.list_topics(timeout=ADMIN_SECONDS).topics.keys())
    new = [NewTopic(t, num_partitions=topics[t]["partitions"], config=dict(topics[t]["config"])) for t in missing]
    created = []
    for name, future in admin.create_topics(new, operation_timeout=ADMIN_SECONDS).items() if new else ():
        try:
            future.result(ADMIN_SECONDS)
            created.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    return sorted(created)


def align_topics(brokers: Brokers, topics: Topics) -> list[str]:
    """Give existing topics the settings that they have here, such as after an upgrade. Return the names of those that changed.

    Where a service has no right to do so, the job `kafka-init` does it (deploy/compose/kafka_init.py).
    Raises KafkaException when the broker is unavailable.
    """
    try:
        return align_with(make_admin(brokers), topics)
    except KafkaException as error:
        if error.args[0].code() not in (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED):
            raise
        log.info("settings of topics are left to the administrator")
        return []


def align_with(admin: AdminClient, topics: Topics) -> list[str]:
    """As `align_topics`, by a client that has the right. Topics that do not exist are left out."""
    existing = admin.list_topics(timeout=ADMIN_SECONDS).topics
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in sorted(topics) if name in existing]
    described = admin.describe_configs(resources, request_timeout=ADMIN_SECONDS) if resources else {}
    changes = []
    for resource, future in described.items():
        found = future.result(ADMIN_SECONDS)
        wanted = {"retention.ms": DEFAULT_RETENTION_MS, **topics[resource.name]["config"]}
        if different := {name: value for name, value in wanted.items() if found[name].value != value}:
            entries = [
                ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                for name, value in different.items()
            ]
            changes.append(ConfigResource(resource.restype, resource.name, incremental_configs=entries))
    for future in admin.incremental_alter_configs(changes, request_timeout=ADMIN_SECONDS).values() if changes else ():
        future.result(ADMIN_SECONDS)
    return [change.name for change in changes]


def create_topics_patiently(brokers: Brokers, topics: Topics, stop: threading.Event) -> None:
    """As `create_topics`, tried again every RETRY_SECONDS until it succeeds or `stop` is set."""
    while not stop.is_set():
        try:
            log.info("topics checked", created=create_topics(brokers, topics))
            return
        except KafkaException as error:
            log.warning("Kafka unavailable, topics not checked", error=error.args[0].str())
            stop.wait(RETRY_SECONDS)


def first_offsets(brokers: Brokers, topics: Iterable[str]) -> dict[str, list[TopicPartition]]:
    """The start of each partition of `topics`, none where a topic is missing. Raises KafkaException when no broker answers."""
    found = make_admin(brokers).list_topics(timeout=ADMIN_SECONDS).topics
    return {
        topic: [TopicPartition(topic, number, OFFSET_BEGINNING) for number in sorted(found[topic].partitions)]
        if topic in found
        else []
        for topic in topics
    }
