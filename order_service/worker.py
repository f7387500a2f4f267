"""The worker: the relay that publishes the outbox, and the consumers of catalogue and stock."""

from functools import partial

from libs.messaging.clients import make_producer
from libs.messaging.relay import Relay
from libs.messaging.topics import create_topics_patiently
from libs.runtime.worker import BackgroundTask, run_worker
from order_service.asking import Asking
from order_service.config import Config
from order_service.consumers import make_consumers
from order_service.housekeeping import Housekeeping
from order_service.outbox import DjangoOutbox
from order_service.readiness import FirstFill
from order_service.states import DjangoWorkerStates
from order_service.topics import topics


def run(config: Config) -> int:
    """Run until a signal; return the exit status."""
    brokers = config.kafka_brokers
    relay = Relay(DjangoOutbox(), partial(make_producer, brokers))
    parts: list[BackgroundTask] = [
        relay,
        *make_consumers(brokers),
        FirstFill(brokers),
        Asking(config.order_pending_limit),
    ]
    parts.append(Housekeeping())
    return run_worker(parts, DjangoWorkerStates(), partial(create_topics_patiently, brokers, topics()))
