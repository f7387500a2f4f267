"""The first fill of the catalogue's replica: a new shop takes orders once it has read what products there are.

At the first start of a worker the ends of the product-* partitions are noted; once the group has committed past each of them,
`ready_at` is written, once and for all. web's /health/ready reads that.
"""

import threading
import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from libs.django_store.connection import UNAVAILABLE_ERRORS, renew_connection
from libs.messaging.clients import make_consumer
from libs.runtime.logs import get_logger
from order_service.events.topics import CATALOGUE, CATALOGUE_GROUP
from order_service.store.models import CatalogueState, now

log = get_logger(__name__)

NOT_NOW: tuple[type[Exception], ...] = (*UNAVAILABLE_ERRORS, KafkaException)
LOOK_SECONDS = 0.5
KAFKA_SECONDS = 5


class CatalogueLoad:
    """A part of the worker; it looks until the replica is filled, and rests from then on."""

    name = "first-fill"

    def __init__(self, brokers: str) -> None:
        self._brokers, self._ready, self.heartbeat = brokers, False, time.monotonic()

    def status(self) -> dict[str, Any]:
        """Whether the replica is filled."""
        return {"ready": self._ready}

    def run(self, stop: threading.Event) -> None:
        """Look every LOOK_SECONDS until `stop` is set."""
        while not stop.is_set():
            self.heartbeat = time.monotonic()
            if not self._ready:
                self._look()
            stop.wait(LOOK_SECONDS)

    def _look(self) -> None:
        try:
            renew_connection()
            self._ready = CatalogueState.objects.filter(ready_at__isnull=False).exists() or self._fill()
        except NOT_NOW as error:
            log.warning("can't tell yet whether the catalogue is filled", error=type(error).__name__)

    def _fill(self) -> bool:
        client = make_consumer(self._brokers, CATALOGUE_GROUP)  # reads the group's offsets; never joins it
        try:
            state, _ = CatalogueState.objects.get_or_create(pk=1, defaults={"ends": _ends(client)})
            if not _is_past(client, state.ends):
                return False
        finally:
            client.close()
        CatalogueState.objects.filter(pk=1).update(ready_at=now())
        log.info("the catalogue is filled")
        return True


def _ends(client: Consumer) -> dict[str, int]:
    """`{"topic/partition": end offset}` of the partitions that hold anything."""
    ends: dict[str, int] = {}
    for topic in CATALOGUE:
        for partition in client.list_topics(topic, timeout=KAFKA_SECONDS).topics[topic].partitions:
            low, high = client.get_watermark_offsets(TopicPartition(topic, partition), timeout=KAFKA_SECONDS)
            if high > low:
                ends[f"{topic}/{partition}"] = high
    return ends


def _is_past(client: Consumer, ends: Mapping[str, int]) -> bool:
    names = [name.rpartition("/") for name in ends]
    partitions = [TopicPartition(topic, int(partition)) for topic, _, partition in names]
    committed = client.committed(partitions, timeout=KAFKA_SECONDS) if partitions else []
    return all(place.offset >= ends[f"{place.topic}/{place.partition}"] for place in committed)
