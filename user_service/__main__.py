"""The commands: `python -m user_service COMMAND`, in a shell, in a container and under a supervisor.

The configuration is read first. Then each command imports what it needs.
"""

import sys

from libs.runtime.commands import run_command
from user_service.config import Config


def web(config: Config, _arguments: list[str]) -> int:
    """serve the HTTP API with gunicorn"""
    from libs.web.serving.server import serve_web

    serve_web("user_service.api.wsgi:app", web=config, host=config.bind_host, port=config.user_service_port)
    return 0


def worker(config: Config, _arguments: list[str]) -> int:
    """publish the outbox, and consume requests for links and accounts"""
    from user_service.worker.process import run

    return run(config)


def check_config(_config: Config, _arguments: list[str]) -> int:
    """exit 0 when the configuration is complete, else 78"""
    return 0


def check_worker(config: Config, _arguments: list[str]) -> int:
    """exit 0 when the worker of this host wrote its status within the last 60 s"""
    from user_service.worker.process import check

    return check(config)


def topics(config: Config, _arguments: list[str]) -> int:
    """create the topics that the service publishes and consumes"""
    from libs.messaging.kafka.topics import align_topics, create_topics
    from user_service.events.topics import topics

    create_topics(config.brokers, topics())
    align_topics(config.brokers, topics())
    return 0


def indexes(config: Config, _arguments: list[str]) -> int:
    """create the collections and indexes of the database"""
    from libs.mongo_store.connection import connect
    from user_service.store.indexes import ensure_indexes

    connect(config.mongo_uri.get_secret_value())
    ensure_indexes()
    return 0


def staff(config: Config, arguments: list[str]) -> int:
    """create or promote a staff account (--help for more)"""
    from user_service.commands.staff import make_staff

    return make_staff(config, arguments)


def rotate_encryption(config: Config, arguments: list[str]) -> int:
    """encrypt the secrets of authenticators with the first key of ENCRYPTION_KEY"""
    from user_service.commands.rotate_encryption import rotate

    return rotate(config, arguments)


def republish_deleted(config: Config, _arguments: list[str]) -> int:
    """publish the deletion of each deleted account again, for services that lost it"""
    from libs.mongo_store.connection import connect
    from user_service.use_cases.republish_deleted import republish_deleted

    connect(config.mongo_uri.get_secret_value())
    sys.stdout.write(f"{republish_deleted()} deletions will be published again by the worker\n")
    return 0


def republish_revocations(config: Config, _arguments: list[str]) -> int:
    """publish the revocations of the last hour again, after a loss of Kafka's data"""
    from libs.mongo_store.connection import connect
    from user_service.use_cases.republish_revocations import republish_revocations

    connect(config.mongo_uri.get_secret_value())
    sys.stdout.write(f"{republish_revocations()} revocations will be published again by the worker\n")
    return 0


def accept_cluster(config: Config, _arguments: list[str]) -> int:
    """accept the present Kafka cluster as this service's own (docs/operations.md)"""
    from libs.messaging.kafka.cluster import accept_cluster
    from libs.mongo_store.cluster import MongoCluster
    from libs.mongo_store.connection import connect

    return accept_cluster(config.brokers, MongoCluster(connect(config.mongo_uri.get_secret_value())))


def dlq(config: Config, arguments: list[str]) -> int:
    """list, show or replay dead letters (--help for more)"""
    from libs.messaging.dlq_command import run_dlq
    from libs.mongo_store.connection import connect
    from libs.runtime.telemetry.otel import start_tracing
    from user_service.worker.handlers import make_handlers
    from user_service.worker.process import replay_limits

    start_tracing("user_worker", config, config.jwt_secret.get_secret_value().encode())
    db = connect(config.mongo_uri.get_secret_value())
    return run_dlq(config.brokers, make_handlers(replay_limits(db, config)), arguments)


def approve_totp(config: Config, arguments: list[str]) -> int:
    """let a staff account set up an authenticator within 24 hours (--help for more)"""
    from user_service.commands.approve_totp import approve

    return approve(config, arguments)


def migrate_emails(config: Config, arguments: list[str]) -> int:
    """write the keys of e-mail addresses anew after an upgrade (--help for more)"""
    from user_service.commands.migrate_emails import migrate

    return migrate(config, arguments)


COMMANDS = {
    "web": web,
    "worker": worker,
    "check-config": check_config,
    "check-worker": check_worker,
    "topics": topics,
    "indexes": indexes,
    "staff": staff,
    "rotate-encryption": rotate_encryption,
    "dlq": dlq,
    "republish-deleted": republish_deleted,
    "republish-revocations": republish_revocations,
    "accept-cluster": accept_cluster,
    "approve-totp": approve_totp,
    "migrate-emails": migrate_emails,
}

if __name__ == "__main__":
    sys.exit(run_command("user_service", Config, COMMANDS, sys.argv[1:]))
