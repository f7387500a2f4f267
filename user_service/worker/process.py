"""The worker process: the relay that publishes the outbox, and the consumer of requests for links and accounts."""

from functools import partial

from libs.messaging.kafka.clients import make_producer
from libs.messaging.kafka.cluster import Cluster
from libs.messaging.relay import Relay
from libs.mongo_store.cluster import MongoCluster
from libs.mongo_store.connection import Db, connect
from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.worker_status import MongoWorkerStatus
from libs.runtime.logs import configure_logs
from libs.runtime.telemetry.otel import start_tracing
from libs.runtime.worker import BackgroundTask, check_worker, run_worker
from user_service.config import Config
from user_service.events.topics import topics
from user_service.store.limits.mail_limits import MailLimits
from user_service.store.limits.rate_limits import Limiter
from user_service.worker.handlers import make_consumers


def run(config: Config) -> int:
    """Run until a signal. Returns the exit status."""
    configure_logs("user_worker", config.log_level, config.log_format)
    start_tracing("user_worker", config, config.jwt_secret.get_secret_value().encode())
    db, brokers = connect(config.mongo_uri.get_secret_value()), config.brokers
    cluster = Cluster(brokers, topics(), MongoCluster(db))
    tasks: list[BackgroundTask] = [
        Relay(MongoOutbox(db), partial(make_producer, brokers)),
        *make_consumers(brokers, db, replay_limits(db, config)),
        cluster.task(),
    ]
    return run_worker(tasks, MongoWorkerStatus(db), cluster.prepare)


def replay_limits(db: Db, config: Config) -> MailLimits:
    """The limit of mails per recipient, which the web processes count too. No client requests these mails."""
    return MailLimits(Limiter(db, {"mails": config.rate_limit_mails}), client_address="")


def check(config: Config) -> int:
    """The exit status of the command `check-worker`."""
    configure_logs("user_worker", config.log_level, config.log_format)
    return check_worker(MongoWorkerStatus(connect(config.mongo_uri.get_secret_value())))
