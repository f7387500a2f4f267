"""The worker: the relay that publishes the outbox, the consumers of orders and of revocations, and the retention."""

from functools import partial

from libs.messaging.clients import make_producer
from libs.messaging.relay import Relay
from libs.messaging.topics import create_topics_patiently
from libs.mongo_store.connection import connect
from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.worker_status import MongoWorkerStatus
from libs.runtime.logs import configure_logs
from libs.runtime.otel import start_tracing
from libs.runtime.worker import BackgroundTask, check_worker, run_worker
from product_service.config import Config
from product_service.domain.price_history import price_memory
from product_service.events.topics import topics
from product_service.worker.handlers import make_consumers
from product_service.worker.retention import make_retention


def run(config: Config) -> int:
    """Run until a signal; return the exit status."""
    configure_logs("product_worker", config.log_level, config.log_format)
    start_tracing("product_worker", config, config.jwt_secret.get_secret_value().encode())
    db, brokers = connect(config.mongo_uri.get_secret_value()), config.brokers
    tasks: list[BackgroundTask] = [
        Relay(MongoOutbox(db), partial(make_producer, brokers)),
        *make_consumers(brokers, config.shop_currency),
        make_retention(price_memory(config.order_pending_limit), config.shop_currency),
    ]
    return run_worker(tasks, MongoWorkerStatus(db), partial(create_topics_patiently, brokers, topics()))


def check(config: Config) -> int:
    """The exit status of `check-worker`."""
    configure_logs("product_worker", config.log_level, config.log_format)
    return check_worker(MongoWorkerStatus(connect(config.mongo_uri.get_secret_value())))
