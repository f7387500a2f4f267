"""The commands: `python -m order_service COMMAND`, in a shell, in a container and under a supervisor.

The configuration is read first. Then each command imports what it needs.
"""

import sys
from collections.abc import Callable, Sequence
from functools import wraps

from libs.runtime.commands import run_command
from libs.runtime.config import load_or_exit
from order_service.config import Config, Migrator, setup_django

Command = Callable[[Config, list[str]], int]


def with_django(command: Command) -> Command:
    """Set up Django before the command: only then can it import models."""

    @wraps(command)
    def run(config: Config, arguments: list[str]) -> int:
        setup_django("order_service", config)
        return command(config, arguments)

    return run


def web(config: Config, _arguments: list[str]) -> int:
    """serve the HTTP API and the admin pages with gunicorn"""
    from libs.web.serving.server import serve_web

    serve_web("order_service.api.wsgi:app", web=config, host=config.bind_host, port=config.order_service_port)
    return 0


def worker(config: Config, _arguments: list[str]) -> int:
    """publish the outbox, consume events, run the periodic tasks"""
    setup_django("order_worker", config)
    from order_service.worker.process import run

    return run(config)


def check_config(_config: Config, _arguments: list[str]) -> int:
    """exit 0 when the configuration is complete, else 78"""
    return 0


def check_worker(config: Config, _arguments: list[str]) -> int:
    """exit 0 when the worker of this host wrote its status within the last 60 s"""
    setup_django("order_worker", config)
    from libs.runtime.worker import check_worker as check
    from order_service.store.worker_tables import worker_status

    return check(worker_status)


@with_django
def topics(config: Config, _arguments: list[str]) -> int:
    """create the topics that the service publishes and consumes"""
    from libs.messaging.kafka.topics import align_topics, create_topics
    from order_service.events.topics import topics

    create_topics(config.brokers, topics())
    align_topics(config.brokers, topics())
    return 0


@with_django
def republish_cancelled(config: Config, arguments: list[str]) -> int:
    """ask product_service again to release the stock of cancelled orders (--help for more)"""
    from order_service.commands.republish_cancelled import republish

    return republish(arguments)


@with_django
def retire_products(config: Config, arguments: list[str]) -> int:
    """take products off sale that an older copy of product_service lacks (--help for more)"""
    from order_service.commands.retire_products import retire

    return retire(config.brokers, arguments)


@with_django
def accept_cluster(config: Config, _arguments: list[str]) -> int:
    """accept the present Kafka cluster as this service's own (docs/operations.md)"""
    from libs.messaging.kafka.cluster import accept_cluster
    from order_service.store.worker_tables import known_cluster

    return accept_cluster(config.brokers, known_cluster)


@with_django
def dlq(config: Config, arguments: list[str]) -> int:
    """list, show or replay dead letters (--help for more)"""
    from libs.messaging.dlq_command import run_dlq
    from order_service.worker.handlers import HANDLERS

    return run_dlq(config.brokers, HANDLERS, arguments)


@with_django
def migrate(config: Config, _arguments: list[str]) -> int:
    """create and change the tables of the database"""
    from order_service.commands.migrate import migrate

    return migrate(load_or_exit(Migrator, "order_service"))


@with_django
def rotate_encryption(config: Config, _arguments: list[str]) -> int:
    """encrypt the desk's tokens that are plain or have an older key, with the first key of ENCRYPTION_KEY"""
    from order_service.desk.sign_in.token_store import rotate

    rotation = rotate()
    sys.stdout.write(f"{rotation.encrypted} encrypted, {rotation.unreadable} can't be read\n")
    return 1 if rotation.unreadable else 0


@with_django
def reconcile(config: Config, arguments: list[str]) -> int:
    """list where orders and reservations differ; with --fix ask product_service to repair them"""
    from order_service.commands.reconcile import reconcile

    return reconcile(arguments)


@with_django
def manage(config: Config, arguments: list[str]) -> int:
    """run a command of Django's (manage help lists them)"""
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *arguments])
    return 0


COMMANDS = {
    "web": web,
    "worker": worker,
    "check-config": check_config,
    "check-worker": check_worker,
    "topics": topics,
    "dlq": dlq,
    "republish-cancelled": republish_cancelled,
    "retire-products": retire_products,
    "accept-cluster": accept_cluster,
    "migrate": migrate,
    "rotate-encryption": rotate_encryption,
    "reconcile": reconcile,
    "manage": manage,
}


def main(arguments: Sequence[str]) -> int:
    """Run one command; return its exit status."""
    return run_command("order_service", Config, COMMANDS, list(arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
