"""The worker: the relay that publishes the outbox, and the consumers of catalogue and stock."""

from functools import partial

from libs.django_store.worker_status import DjangoWorkerStatus
from libs.messaging.clients import make_producer
from libs.messaging.relay import Relay
from libs.messaging.topics import create_topics_patiently
from libs.runtime.worker import BackgroundTask, run_worker
from order_service.config import Config
from order_service.events.topics import topics
from order_service.store.outbox import DjangoOutbox
from order_service.worker.catalogue_load import CatalogueLoad
from order_service.worker.handlers import make_consumers
from order_service.worker.reservation_requests import Asking
from order_service.worker.retention import Housekeeping


def run(config: Config) -> int:
    """Run until a signal; return the exit status."""
    brokers = config.kafka_brokers
    relay = Relay(DjangoOutbox(), partial(make_producer, brokers))
    parts: list[BackgroundTask] = [
        relay,
        *make_consumers(brokers),
        CatalogueLoad(brokers),
        Asking(config.order_pending_limit),
    ]
    parts.append(Housekeeping())
    return run_worker(parts, DjangoWorkerStatus(), partial(create_topics_patiently, brokers, topics()))
