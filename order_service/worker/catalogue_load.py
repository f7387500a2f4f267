"""The first load of the catalogue: a new shop takes orders once it has read all products.

At the first start of a worker the end offsets of the product-* partitions are stored. Once the group has committed past each of
them, `ready_at` is written, for good. The readiness check of the web process reads it.
"""

from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException, TopicPartition

from libs.django_store.connection import UNAVAILABLE_ERRORS, renew_connection
from libs.messaging.brokers import Brokers
from libs.messaging.clients import make_consumer
from libs.runtime.logs import get_logger
from libs.runtime.periodic import PeriodicTask
from libs.values.times import now
from order_service.events.topics import CATALOGUE, CATALOGUE_GROUP
from order_service.store.catalogue import is_loaded
from order_service.store.models import CatalogueState

log = get_logger(__name__)

TRANSIENT_ERRORS: tuple[type[Exception], ...] = (*UNAVAILABLE_ERRORS, KafkaException)
INTERVAL_SECONDS = 0.5
KAFKA_SECONDS = 5


class CatalogueLoad:
    """The check of the load. It does nothing once the catalogue is loaded."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers, self._loaded = brokers, False

    def task(self) -> PeriodicTask:
        """The task of the worker."""
        return PeriodicTask(
            "first-fill",
            self._check,
            seconds=INTERVAL_SECONDS,
            unavailable=TRANSIENT_ERRORS,
            status=lambda: {"ready": self._loaded},
        )

    def _check(self) -> Mapping[str, int]:
        if not self._loaded:
            renew_connection()
            self._loaded = is_loaded() or self._finish()
        return {}

    def _finish(self) -> bool:
        """Record that the catalogue is loaded, if the group has read up to the stored end offsets."""
        client = make_consumer(self._brokers, CATALOGUE_GROUP)  # reads the group's offsets; never joins it
        try:
            defaults = {"end_offsets": _end_offsets(client)}
            state, _ = CatalogueState.objects.get_or_create(pk=1, defaults=defaults)
            if not _is_past(client, state.end_offsets):
                return False
        finally:
            client.close()
        CatalogueState.objects.filter(pk=1).update(ready_at=now())
        log.info("catalogue loaded")
        return True


def _end_offsets(client: Consumer) -> dict[str, int]:
    """`{"topic/partition": end offset}` of the partitions that are not empty."""
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
