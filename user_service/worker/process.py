"""The worker process. It runs the relay, which publishes the outbox. The service consumes no events."""

from functools import partial

from libs.messaging.clients import make_producer
from libs.messaging.relay import Relay
from libs.messaging.topics import create_topics_patiently
from libs.mongo_store.connection import connect
from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.worker_status import MongoWorkerStatus
from libs.runtime.logs import configure_logs
from libs.runtime.worker import check_worker, run_worker
from user_service.config import Config
from user_service.events.topics import topics


def run(config: Config) -> int:
    """Run until a signal. Returns the exit status."""
    configure_logs("user_worker", config.log_level, config.log_format)
    db = connect(config.mongo_uri.get_secret_value())
    relay = Relay(MongoOutbox(db), partial(make_producer, config.brokers))
    prepare = partial(create_topics_patiently, config.brokers, topics())
    return run_worker([relay], MongoWorkerStatus(db), prepare)


def check(config: Config) -> int:
    """The exit status of the command `check-worker`."""
    configure_logs("user_worker", config.log_level, config.log_format)
    return check_worker(MongoWorkerStatus(connect(config.mongo_uri.get_secret_value())))
