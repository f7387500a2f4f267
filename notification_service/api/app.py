"""The only wiring of the process."""

from apiflask import APIFlask

from libs.access.revocations import Revocations
from libs.access.tokens import AccessTokens
from libs.runtime.health import Health
from libs.runtime.logs import configure_logs
from libs.web.flask import make_app
from notification_service import __doc__ as description
from notification_service import __version__
from notification_service.api.mails import routes
from notification_service.api.previews import routes as previews
from notification_service.config import Config
from notification_service.rendering.composer import Composer
from notification_service.smtp.mailer import Mailer
from notification_service.store.accounts import AccountView
from notification_service.store.mail_ledger import Ledger
from notification_service.worker.handlers import bind_handlers
from notification_service.worker.process import Listener


def create_app(config: Config) -> APIFlask:
    """The application with its mailer and its listener, which consumes once it is started: after the fork."""
    configure_logs("notification_service", config.log_level, config.log_format)
    composer, mailer, ledger = Composer(config), Mailer(config), Ledger(config.kafka_brokers)
    accounts = AccountView(config.kafka_brokers, revocations := Revocations())
    handlers = bind_handlers(composer, mailer, ledger, accounts)
    listener = Listener(config.kafka_brokers, handlers, ledger, accounts, config.mail_concurrency)
    app = make_app(
        service="notification_service",
        version=__version__,
        description=description or "",
        tokens=AccessTokens(
            config.jwt_secret, config.jwt_issuer, config.jwt_audience, refuse_revoked=revocations.check
        ),
        health=Health(
            "notification_service",
            __version__,
            required={"consumer": lambda: listener.check() | {"smtp": mailer.status()["status"]}},
            shown={"consumer": listener.check, "smtp": mailer.check},
        ),
        unavailable=(),
        web=config,
    )
    app.extensions |= {"composer": composer, "mailer": mailer, "listener": listener}
    app.register_blueprint(routes)
    app.register_blueprint(previews)
    return app
