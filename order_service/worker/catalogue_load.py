"""The first load of the catalogue: a new shop takes orders once it has read all products.

At the first start of a worker the end offsets of the product-* partitions are stored. Once the group has committed past each of
them, `ready_at` is written, for good. The readiness check of the web process reads it.
"""

from collections.abc import Mapping

from confluent_kafka import KafkaException

from libs.django_store.connection import renew_connection
from libs.django_store.failures import is_temporary
from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.group_progress import GroupOffsets
from libs.runtime.logs import get_logger
from libs.runtime.periodic import PeriodicTask
from libs.values.times import now
from order_service.events.topics import CATALOGUE, CATALOGUE_GROUP
from order_service.store.catalogue import is_loaded
from order_service.store.models import CatalogueState

log = get_logger(__name__)

INTERVAL_SECONDS = 0.5


class CatalogueLoad:
    """The check of the load. It does nothing once the catalogue is loaded."""

    def __init__(self, brokers: Brokers) -> None:
        self._offsets, self._loaded = (
            GroupOffsets(brokers, CATALOGUE_GROUP, CATALOGUE),
            False,
        )  # it never joins the group

    def task(self) -> PeriodicTask:
        """The task of the worker."""
        return PeriodicTask(
            "first-fill",
            self._check,
            seconds=INTERVAL_SECONDS,
            is_temporary=lambda error: isinstance(error, KafkaException) or is_temporary(error),
            status=lambda: {"ready": self._loaded},
        )

    def _check(self) -> Mapping[str, int]:
        if not self._loaded:
            renew_connection()
            self._loaded = is_loaded() or self._finish()
        return {}

    def _finish(self) -> bool:
        """Record that the catalogue is loaded, if the group has read up to the stored end offsets."""
        state = CatalogueState.objects.filter(pk=1).first()
        if state is None:
            state, _ = CatalogueState.objects.get_or_create(pk=1, defaults={"end_offsets": dict(self._offsets.ends())})
        if not self._offsets.are_past(state.end_offsets):
            return False
        self._offsets.close()
        CatalogueState.objects.filter(pk=1).update(ready_at=now())
        log.info("catalogue loaded")
        return True
