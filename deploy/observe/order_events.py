"""The events of one order, read from Kafka as any consumer could."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, NamedTuple

from confluent_kafka import KafkaException, Message, TopicPartition

from deploy.local.errors import NotReady
from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.clients import make_admin, make_consumer
from libs.messaging.kafka.topic_reader import TopicReader
from libs.values.text import clean

SECONDS = 5.0
NAME = "demo"


class OrderEvent(NamedTuple):
    """When an event occurred, its topic, the service that published it, its place in Kafka, and its id."""

    at: datetime
    topic: str
    source: str
    partition: int = 0
    offset: int = 0
    event_id: str = ""


def read_order_events(brokers: Brokers, order_id: str, since: datetime) -> list[OrderEvent]:
    """The events about the order in all topics since then, oldest first. Raises NotReady without a broker."""
    try:
        with closing(TopicReader(brokers, NAME, _find_offsets(brokers, since))) as reader:
            return sorted(_event(message) for message in reader.read_to_end(SECONDS) if _is_about(message, order_id))
    except KafkaException as error:
        raise NotReady(f"Kafka does not answer: {error.args[0].str()}") from None


def _find_offsets(brokers: Brokers, since: datetime) -> list[TopicPartition]:
    """The partitions that have messages since then, each with the offset of the first."""
    found = make_admin(brokers).list_topics(timeout=SECONDS).topics
    moment = int(since.timestamp() * 1000)
    places = [
        TopicPartition(name, partition, moment)
        for name, topic in found.items()
        if not name.startswith("__")
        for partition in topic.partitions
    ]
    with closing(make_consumer(brokers, NAME)) as consumer:
        return [place for place in consumer.offsets_for_times(places, timeout=SECONDS) if place.offset >= 0]


def _is_about(message: Message, order_id: str) -> bool:
    """True for an event whose key is the order, or that names the order."""
    if message.key() == order_id.encode():
        return True
    try:
        data = json.loads(message.value() or b"")
    except ValueError:
        return False
    return isinstance(data, dict) and data.get("orderId") == order_id


def _event(message: Message) -> OrderEvent:
    headers = dict(_headers(message))
    at = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
    source = clean(headers.get("ce_source", "unknown")).strip("/")
    place = message.partition() or 0, message.offset() or 0
    return OrderEvent(at, str(message.topic()), source, *place, headers.get("ce_id", ""))


def _headers(message: Message) -> Iterator[tuple[str, str]]:
    headers: Any = message.headers() or []  # a list of pairs, which the stubs do not say
    for name, value in headers:
        yield str(name), value.decode(errors="replace") if isinstance(value, bytes) else str(value)
