"""The worker: the relay that publishes the outbox, the consumers that serve orders and end tokens, and the housekeeping."""

from functools import partial

from libs.messaging.clients import make_producer
from libs.messaging.relay import Relay
from libs.messaging.topics import create_topics_patiently
from libs.mongo_store.connection import connect
from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.worker_status import MongoWorkerStatus
from libs.runtime.logs import configure_logs
from libs.runtime.worker import BackgroundTask, check_worker, run_worker
from product_service.config import Config
from product_service.domain.price_history import price_memory
from product_service.events.topics import topics
from product_service.worker.handlers import make_consumers
from product_service.worker.retention import Housekeeping


def run(config: Config) -> int:
    """Run until a signal; return the exit status."""
    configure_logs("product_worker", config.log_level, config.log_format)
    db, brokers = connect(config.mongo_uri.get_secret_value()), config.kafka_brokers
    relay = Relay(MongoOutbox(db), partial(make_producer, brokers))
    parts: list[BackgroundTask] = [
        relay,
        *make_consumers(brokers),
        Housekeeping(price_memory(config.order_pending_limit)),
    ]
    return run_worker(parts, MongoWorkerStatus(db), partial(create_topics_patiently, brokers, topics()))


def check(config: Config) -> int:
    """Exit status of `check-worker`."""
    configure_logs("product_worker", config.log_level, config.log_format)
    return check_worker(MongoWorkerStatus(connect(config.mongo_uri.get_secret_value())))
