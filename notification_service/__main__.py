"""The commands: `python -m notification_service COMMAND`, in a shell, in a container and under a supervisor.

The configuration is read first. Then each command imports what it needs.
"""

import sys
from typing import Any

from libs.runtime.commands import run_command
from notification_service.config import Config


def web(config: Config, _arguments: list[str]) -> int:
    """serve the HTTP API with gunicorn, and send a mail for each event that needs one"""
    from libs.web.serving.server import serve_web

    serve_web(
        "notification_service.api.wsgi:app",
        web=config,
        host=config.bind_host,
        port=config.notification_service_port,
        workers=1,  # each worker process has a consumer, so a second one would be a second member of the group
        post_worker_init=_start_consuming,
        worker_exit=_stop_consuming,
    )
    return 0


def _start_consuming(worker: Any) -> None:
    worker.wsgi.extensions["worker"].consumer.start()


def _stop_consuming(_server: Any, worker: Any) -> None:
    if app := getattr(worker, "wsgi", None):  # None: the worker process ends because the application did not load
        app.extensions["worker"].consumer.stop()
        app.extensions["worker"].mailer.close()


def check_config(_config: Config, _arguments: list[str]) -> int:
    """exit 0 when the configuration is complete, else 78"""
    return 0


def topics(config: Config, _arguments: list[str]) -> int:
    """create the topics that the service publishes and consumes"""
    from libs.messaging.kafka.topics import align_topics, create_topics
    from notification_service.events.topics import topics

    create_topics(config.brokers, topics())
    align_topics(config.brokers, topics())
    return 0


def dlq(config: Config, arguments: list[str]) -> int:
    """list, show or replay dead letters (--help for more)"""
    from contextlib import closing
    from dataclasses import replace

    from libs.access.revocations import Revocations
    from libs.runtime.telemetry.otel import start_tracing
    from notification_service.commands.dlq import dlq
    from notification_service.store.link_requests import LinkRequests
    from notification_service.use_cases.send_mail import NoFence, SendAndWait
    from notification_service.worker.handlers import bind_handlers
    from notification_service.worker.process import Worker

    start_tracing("notification_service", config, config.jwt_secret.get_secret_value().encode())
    worker = Worker.of(config, Revocations())
    send_mail = replace(worker.send_mail, fence=NoFence())
    with closing(worker.ledger), closing(worker.mailer), closing(LinkRequests(config.brokers)) as links:
        return dlq(
            config.brokers,
            arguments,
            handlers=bind_handlers(SendAndWait(send_mail)),
            ledger=worker.reader,
            accounts=worker.accounts,
            links=links,
        )


COMMANDS = {"web": web, "check-config": check_config, "topics": topics, "dlq": dlq}

if __name__ == "__main__":
    sys.exit(run_command("notification_service", Config, COMMANDS, sys.argv[1:]))
