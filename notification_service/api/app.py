"""The wiring of the process: the HTTP API, and the worker that runs in its background."""

from apiflask import APIFlask

from libs.access.revocations import Revocations
from libs.access.tokens import AccessTokens
from libs.runtime.health import Health
from libs.runtime.logs import configure_logs
from libs.runtime.telemetry.otel import start_tracing
from libs.runtime.telemetry.status_metrics import StatusMetric
from libs.web.flask import make_app
from notification_service import __doc__ as description
from notification_service import __version__
from notification_service.api.mails import routes as mails
from notification_service.api.previews import routes as previews
from notification_service.config import Config
from notification_service.worker.process import Worker

METRICS = (
    StatusMetric("oldestParkedSeconds", "mails_parked_oldest_seconds", "Age of the oldest parked mail"),
    StatusMetric("offsetResets", "consumer_offset_resets", "Partitions whose offset was out of range since the start"),
    StatusMetric("mails", "mail_ledger_mails", "Sent mails whose ids are in memory"),
)


def create_app(config: Config) -> APIFlask:
    """The application with its worker. The worker consumes once it is started, which must be after the fork."""
    configure_logs("notification_service", config.log_level, config.log_format)
    start_tracing("notification_service", config, config.jwt_secret.get_secret_value().encode())
    worker = Worker.of(config, revocations := Revocations(is_empty=False))
    consumer, mailer = worker.consumer, worker.mailer
    app = make_app(
        service="notification_service",
        version=__version__,
        description=description or "",
        tokens=AccessTokens(config.jwt_secret, config.jwt_issuer, config.jwt_audience, revocations=revocations),
        health=Health(
            "notification_service",
            __version__,
            required={"consumer": lambda: consumer.check() | {"smtp": mailer.status()["status"]}},
            shown={"consumer": consumer.check_progress, "smtp": worker.check_smtp},
            workers=lambda: [{"parts": consumer.parts()}],
            metrics=METRICS,
        ),
        is_unavailable=lambda error: False,
        web=config,
        links={"emails": "/emails"},
    )
    app.extensions |= {"config": config, "worker": worker}
    app.register_blueprint(mails)
    app.register_blueprint(previews)
    return app
