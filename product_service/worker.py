"""The worker: the relay that publishes the outbox."""

from functools import partial

from chassis.kafka import create_topics_patiently, make_producer
from chassis.logs import configure_logs
from chassis.mongo import MongoOutbox, MongoWorkerStates, connect
from chassis.relay import Relay
from chassis.worker import check_worker, run_worker
from product_service.config import Config
from product_service.events import topics


def run(config: Config) -> int:
    """Run until a signal; return the exit status."""
    configure_logs("product_worker", config.log_level, config.log_format)
    db = connect(config.mongo_uri.get_secret_value())
    relay = Relay(MongoOutbox(db), partial(make_producer, config.kafka_brokers))
    prepare = partial(create_topics_patiently, config.kafka_brokers, topics())
    return run_worker([relay], MongoWorkerStates(db), prepare)


def check(config: Config) -> int:
    """Exit status of `check-worker`."""
    configure_logs("product_worker", config.log_level, config.log_format)
    return check_worker(MongoWorkerStates(connect(config.mongo_uri.get_secret_value())))
