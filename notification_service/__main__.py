"""`python -m notification_service COMMAND`: the one way in, on a laptop, in a container and under a supervisor alike.

The configuration is read first; each command then imports what it needs.
"""

import sys
from typing import Any

from libs.runtime.commands import run_command
from notification_service.config import Config


def web(config: Config, _arguments: list[str]) -> int:
    """serve the HTTP API by gunicorn, and mail what happens in the shop"""
    from libs.web.server import serve_web

    serve_web(
        "notification_service.api.wsgi:app",
        host=config.bind_host,
        port=config.notification_service_port,
        workers=1,  # one consumer thread a process: more workers would be more group members, each with its own restarts
        post_worker_init=_start_listening,
        worker_exit=_stop_listening,
    )
    return 0


def _start_listening(worker: Any) -> None:
    worker.wsgi.extensions["listener"].start()


def _stop_listening(_server: Any, worker: Any) -> None:
    if app := getattr(worker, "wsgi", None):  # None: the worker ends because the application did not load
        app.extensions["listener"].stop()
        app.extensions["mailer"].close()


def check_config(_config: Config, _arguments: list[str]) -> int:
    """exit 0 when the configuration is complete, else 78"""
    return 0


def topics(config: Config, _arguments: list[str]) -> int:
    """create the topics this service needs"""
    from libs.messaging.topics import create_topics
    from notification_service.events.topics import topics

    create_topics(config.kafka_brokers, topics())
    return 0


def dlq(config: Config, arguments: list[str]) -> int:
    """look at dead letters, handle them again (--help for more)"""
    from notification_service.commands.dlq import dlq

    return dlq(config, arguments)


COMMANDS = {"web": web, "check-config": check_config, "topics": topics, "dlq": dlq}

if __name__ == "__main__":
    sys.exit(run_command("notification_service", Config, COMMANDS, sys.argv[1:]))
