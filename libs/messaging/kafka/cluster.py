"""The Kafka cluster of a service: its topics exist, and it is the one that the service knows.

A service with a database keeps the id of its cluster there. Another cluster, such as a new one after a loss of data, lacks events
and offsets. So the process ends, until an operator has read docs/operations.md and accepts the new cluster.
"""

import sys
import threading
from collections.abc import Mapping
from typing import Protocol

from confluent_kafka import KafkaException

from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.clients import make_admin
from libs.messaging.kafka.topics import ADMIN_SECONDS, RETRY_SECONDS, Topics, create_topics, create_topics_patiently
from libs.runtime.logs import get_logger
from libs.runtime.periodic import PeriodicTask

log = get_logger(__name__)

CHECK_SECONDS = 30.0  # an event of a topic that is missing waits in the outbox that long


class WrongCluster(Exception):
    """The brokers are of another cluster than the one that the service knows."""


class ClusterStore(Protocol):
    """Keeps the id of the service's cluster in its database. Each method may raise an error of the database's driver."""

    def is_temporary(self, error: Exception) -> bool:
        """Whether an error may pass: the server does not serve now, or other transactions were in the way."""

    def known(self) -> str | None:
        """The id, None before the first start."""

    def keep(self, cluster_id: str) -> None:
        """Replace the id."""


class Cluster:
    """The brokers, the topics that a service needs there, and the cluster that it knows."""

    def __init__(self, brokers: Brokers, topics: Topics, store: ClusterStore) -> None:
        self._brokers, self._topics, self._store = brokers, topics, store

    def prepare(self, stop: threading.Event) -> None:
        """Create missing topics, patiently, once the cluster is the known one. Raises WrongCluster."""
        while not stop.is_set():
            try:
                self.check()
            except Exception as error:
                if not self._is_temporary(error):
                    raise
                log.warning("Kafka or database unavailable, cluster not checked", reason=type(error).__name__)
                stop.wait(RETRY_SECONDS)
            else:
                create_topics_patiently(self._brokers, self._topics, stop)
                return

    def _is_temporary(self, error: Exception) -> bool:
        return isinstance(error, KafkaException) or self._store.is_temporary(error)

    def check(self) -> None:
        """Keep the id of the first cluster. Raises WrongCluster, and KafkaException when no broker answers."""
        found, known = read_cluster_id(self._brokers), self._store.known()
        if known is None:
            self._store.keep(found)
        elif found != known:
            log.error(
                "another Kafka cluster: read docs/operations.md, then run accept-cluster", known=known, found=found
            )
            raise WrongCluster(f"the cluster is {found}, but this service knows {known}")

    def task(self) -> PeriodicTask:
        """The task that checks the cluster and creates missing topics again while the service runs. WrongCluster ends it."""

        def work() -> Mapping[str, int]:
            self.check()
            created = create_topics(self._brokers, self._topics)
            if created:
                log.error("topics were missing and are created again", topics=created)
            return {"topicsCreated": len(created)}

        return PeriodicTask(
            "cluster", work, seconds=CHECK_SECONDS, is_temporary=self._is_temporary, counts=["topicsCreated"]
        )


def read_cluster_id(brokers: Brokers) -> str:
    """The id of the brokers' cluster. Raises KafkaException when no broker answers."""
    return str(make_admin(brokers).list_topics(timeout=ADMIN_SECONDS).cluster_id)


def accept_cluster(brokers: Brokers, store: ClusterStore) -> int:
    """The command `accept-cluster`: keep the id of the brokers' cluster. Return 0. Raises KafkaException."""
    found, known = read_cluster_id(brokers), store.known()
    store.keep(found)
    sys.stdout.write(f"the cluster is {found}" + (f", it was {known}\n" if known not in (None, found) else "\n"))
    return 0
