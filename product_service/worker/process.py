"""The worker: the relay that publishes the outbox, the consumers of orders and of revocations, and the periodic tasks."""

from functools import partial

from libs.messaging.kafka.clients import make_producer
from libs.messaging.kafka.cluster import Cluster
from libs.messaging.relay import Relay
from libs.mongo_store.cluster import MongoCluster
from libs.mongo_store.connection import connect
from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.worker_status import MongoWorkerStatus
from libs.runtime.logs import configure_logs
from libs.runtime.telemetry.otel import start_tracing
from libs.runtime.worker import BackgroundTask, check_worker, run_worker
from product_service.config import Config
from product_service.events.topics import topics
from product_service.worker.handlers import make_consumers
from product_service.worker.held_stock import make_held_stock
from product_service.worker.retention import make_retention


def run(config: Config) -> int:
    """Run until a signal; return the exit status."""
    configure_logs("product_worker", config.log_level, config.log_format)
    start_tracing("product_worker", config, config.jwt_secret.get_secret_value().encode())
    db, brokers = connect(config.mongo_uri.get_secret_value()), config.brokers
    cluster = Cluster(brokers, topics(), MongoCluster(db))
    relay = Relay(MongoOutbox(db), partial(make_producer, brokers))
    tasks: list[BackgroundTask] = [
        relay,
        *make_consumers(brokers, config.shop_currency, relay.wake),
        make_retention(config.shop_currency),
        make_held_stock(config.shop_currency),
        cluster.task(),
    ]
    return run_worker(tasks, MongoWorkerStatus(db), cluster.prepare)


def check(config: Config) -> int:
    """The exit status of `check-worker`."""
    configure_logs("product_worker", config.log_level, config.log_format)
    return check_worker(MongoWorkerStatus(connect(config.mongo_uri.get_secret_value())))
