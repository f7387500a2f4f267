"""The commands: `python -m user_service COMMAND`, in a shell, in a container and under a supervisor.

The configuration is read first. Then each command imports what it needs.
"""

import sys

from libs.runtime.commands import run_command
from user_service.config import Config


def web(config: Config, _arguments: list[str]) -> int:
    """serve the HTTP API with gunicorn"""
    from libs.web.server import serve_web

    serve_web("user_service.api.wsgi:app", host=config.bind_host, port=config.user_service_port)
    return 0


def worker(config: Config, _arguments: list[str]) -> int:
    """publish the outbox"""
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
    """create the topics that the service publishes"""
    from libs.messaging.topics import create_topics
    from user_service.events.topics import topics

    create_topics(config.brokers, topics())
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


COMMANDS = {
    "web": web,
    "worker": worker,
    "check-config": check_config,
    "check-worker": check_worker,
    "topics": topics,
    "indexes": indexes,
    "staff": staff,
}

if __name__ == "__main__":
    sys.exit(run_command("user_service", Config, COMMANDS, sys.argv[1:]))
