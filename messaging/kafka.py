"""Kafka clients with the settings the guarantees rest on, and the creation of topics.

librdkafka does not survive a fork (its issue 2374): nothing here is called before one, and web processes hold no client at all.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from chassis.logs import get_logger

log = get_logger(__name__)

Topics = Mapping[str, Mapping[str, Any]]  # name → the contract's x-topic: {"partitions": int, "config": {name: text}}
DEAD_LETTER_RETENTION_MS = 30 * 24 * 3600 * 1000
ADMIN_SECONDS = 10
DELIVERY_SECONDS = 10.0
MAX_MESSAGE_BYTES = (
    2 * 1024 * 1024
)  # a dead letter is larger than its original, which a broker takes up to 1 MiB by default

COMMON: dict[str, Any] = {"client.id": "microshop", "reconnect.backoff.max.ms": 2000, "log_level": 4}
COMMON |= {"logger": logging.getLogger("librdkafka")}  # else it writes to stderr in a form of its own
PRODUCER = COMMON | {
    "enable.idempotence": True,
    "acks": "all",
    "message.timeout.ms": 0,  # a message is never given up: an expired one would leave a gap in its aggregate's order
    "partitioner": "murmur2_random",  # the Java clients' choice of partition, so that other tools agree
    "linger.ms": 5,
    "compression.type": "lz4",
    "message.max.bytes": MAX_MESSAGE_BYTES,
}
CONSUMER = (
    COMMON
    | {
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",  # librdkafka's default is the end: a new group would skip what is there
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": 10_000,  # after a kill the partitions move this late; KIP-848's minimum is 45 s, so: classic protocol
        "max.poll.interval.ms": 300_000,
        "allow.auto.create.topics": False,
        "topic.metadata.refresh.interval.ms": 10_000,
        "statistics.interval.ms": 2000,
    }
)

READER: dict[str, Any] = {
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 20,
    "statistics.interval.ms": 0,
    "queued.max.messages.kbytes": 4096,  # the default reads 64 MB ahead
}
"""For `make_consumer`: a reader that is assigned its partitions, joins no group, and is told where they end."""


def make_producer(brokers: str, **more: Any) -> Producer:
    """An idempotent producer; `more` are further settings."""
    return Producer(PRODUCER | {"bootstrap.servers": brokers} | more)


def make_consumer(brokers: str, group: str, **more: Any) -> Consumer:
    """A group member that commits nothing on its own; `more` are further settings and callbacks."""
    return Consumer(CONSUMER | {"bootstrap.servers": brokers, "group.id": group} | more)


class DurableProducer:
    """Sends one message and waits for the broker to have it; from several threads at once."""

    def __init__(self, brokers: str) -> None:
        self._make = partial(make_producer, brokers, **{"linger.ms": 0})
        self._producer = self._make()
        self._closed = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while not self._closed.is_set():
            self._producer.poll(0.1)

    def close(self) -> None:
        """Let the thread go that hears the broker's answers."""
        self._closed.set()

    def send(
        self, topic: str, value: bytes | None, key: bytes | None, *, partition: int, headers: Sequence[Any]
    ) -> None:
        """Return once the broker has acknowledged the message. Raises KafkaException when it does not within 10 s."""
        answer: SimpleQueue[KafkaError | None] = SimpleQueue()
        try:
            self._producer.produce(
                topic, value, key, partition, headers=list(headers), on_delivery=lambda error, _: answer.put(error)
            )
            error = answer.get(timeout=DELIVERY_SECONDS)
        except (BufferError, Empty):
            error = KafkaError(KafkaError._TIMED_OUT, "the broker does not acknowledge")
        if error:  # a new producer: after a fatal error the old one never works again
            self._producer.purge()
            self._producer = self._make()
            raise KafkaException(error)


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
