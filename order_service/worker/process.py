"""The worker: the relay, a consumer for each group, and the periodic tasks."""

from functools import partial

from libs.messaging.kafka.clients import make_producer
from libs.messaging.kafka.cluster import Cluster
from libs.messaging.relay import Relay
from libs.runtime.worker import BackgroundTask, run_worker
from order_service.config import Config
from order_service.events.topics import topics
from order_service.store.outbox import outbox
from order_service.store.worker_tables import known_cluster, worker_status
from order_service.worker.address_requests import make_address_requests
from order_service.worker.catalogue_load import CatalogueLoad
from order_service.worker.handlers import make_consumers
from order_service.worker.reconciliation import make_reconciliation_status
from order_service.worker.reservation_requests import make_reservation_requests, stock_progress
from order_service.worker.retention import make_retention
from order_service.worker.sales import make_sales


def run(config: Config) -> int:
    """Run until a signal; return the exit status."""
    brokers = config.brokers
    cluster = Cluster(brokers, topics(), known_cluster)
    relay = Relay(outbox, partial(make_producer, brokers))
    tasks: list[BackgroundTask] = [
        relay,
        *make_consumers(brokers, relay.wake),
        CatalogueLoad(brokers).task(),
        make_reservation_requests(config.order_pending_limit, stock_progress(brokers)),
        make_address_requests(),
        make_reconciliation_status(),
        make_retention(),
        make_sales(),
        cluster.task(),
    ]
    return run_worker(tasks, worker_status, cluster.prepare)
