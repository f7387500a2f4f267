"""The commands: `python -m product_service COMMAND`, in a shell, in a container and under a supervisor.

The configuration is read first. Then each command imports what it needs.
"""

import sys

from libs.runtime.commands import run_command
from product_service.config import Config


def web(config: Config, _arguments: list[str]) -> int:
    """serve the HTTP API with gunicorn"""
    from libs.web.serving.server import serve_web

    serve_web("product_service.api.wsgi:app", web=config, host=config.bind_host, port=config.product_service_port)
    return 0


def worker(config: Config, _arguments: list[str]) -> int:
    """publish the outbox, reserve stock for orders"""
    from product_service.worker.process import run

    return run(config)


def check_config(_config: Config, _arguments: list[str]) -> int:
    """exit 0 when the configuration is complete, else 78"""
    return 0


def check_worker(config: Config, _arguments: list[str]) -> int:
    """exit 0 when the worker of this host wrote its status within the last 60 s"""
    from product_service.worker.process import check

    return check(config)


def topics(config: Config, _arguments: list[str]) -> int:
    """create the topics that the service publishes and consumes"""
    from libs.messaging.kafka.topics import align_topics, create_topics
    from product_service.events.topics import topics

    create_topics(config.brokers, topics())
    align_topics(config.brokers, topics())
    return 0


def indexes(config: Config, _arguments: list[str]) -> int:
    """create the collections, validators and indexes of the database, and fill new fields"""
    from libs.mongo_store.connection import connect
    from product_service.store.indexes import ensure_indexes, fill_missing_fields

    connect(config.mongo_uri.get_secret_value())
    ensure_indexes()
    fill_missing_fields(config.shop_currency)
    return 0


def seed(config: Config, _arguments: list[str]) -> int:
    """add those products of the demo catalogue that are missing"""
    from product_service.commands.seed import seed_catalogue

    return seed_catalogue(config)


def republish(config: Config, arguments: list[str]) -> int:
    """publish every product again, for consumers that lost events (--help for more)"""
    from product_service.commands.republish import republish

    return republish(config, arguments)


def check_stock(config: Config, _arguments: list[str]) -> int:
    """verify that stock, movements and reservations agree; exit 1 when they do not"""
    from libs.mongo_store.connection import connect
    from product_service.commands.check_stock import check_stock

    connect(config.mongo_uri.get_secret_value())
    return check_stock()


def publish_held(config: Config, _arguments: list[str]) -> int:
    """publish the reservations in force again, which order_service compares with its orders"""
    from libs.mongo_store.connection import connect
    from product_service.store.held_rounds import begin_now

    connect(config.mongo_uri.get_secret_value())
    begin_now()
    sys.stdout.write("the worker publishes the reservations in force, 500 every 2 s\n")
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
    from product_service.worker.handlers import make_handlers

    start_tracing("product_worker", config, config.jwt_secret.get_secret_value().encode())
    connect(config.mongo_uri.get_secret_value())
    return run_dlq(config.brokers, make_handlers(config.shop_currency), arguments)


def migrate_skus(config: Config, arguments: list[str]) -> int:
    """give SKUs their one form after an upgrade (--help for more)"""
    from product_service.commands.migrate_skus import migrate

    return migrate(config, arguments)


COMMANDS = {
    "web": web,
    "worker": worker,
    "check-config": check_config,
    "check-worker": check_worker,
    "topics": topics,
    "indexes": indexes,
    "seed": seed,
    "republish": republish,
    "check-stock": check_stock,
    "publish-held": publish_held,
    "dlq": dlq,
    "accept-cluster": accept_cluster,
    "migrate-skus": migrate_skus,
}

if __name__ == "__main__":
    sys.exit(run_command("product_service", Config, COMMANDS, sys.argv[1:]))
