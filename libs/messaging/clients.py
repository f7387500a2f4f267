"""Kafka clients with the settings the guarantees rest on, and the creation of topics.

librdkafka does not survive a fork (its issue 2374): nothing here is called before one, and web processes hold no client at all.
"""

import logging
from typing import Any

from confluent_kafka import Consumer, Producer

from libs.runtime.logs import get_logger

log = get_logger(__name__)

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
