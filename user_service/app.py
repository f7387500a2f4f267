"""The only wiring of the web process."""

from apiflask import APIFlask

from chassis.auth import Tokens
from chassis.flask import make_app
from chassis.health import Health, worker_check
from chassis.logs import configure_logs
from messaging.mongo import AWAY, MongoWorkerStates, connect, ping
from user_service import __doc__ as description
from user_service import __version__
from user_service.api.routes import routes
from user_service.config import Config


def create_app(config: Config) -> APIFlask:
    """The application; call it after the fork, for the MongoDB client does not survive one."""
    configure_logs("user_service", config.log_level, config.log_format)
    db = connect(config.mongo_uri.get_secret_value())
    app = make_app(
        service="user_service",
        version=__version__,
        description=description or "",
        tokens=Tokens(config.jwt_secret, config.jwt_issuer, config.jwt_audience, config.access_token_seconds),
        health=Health(
            "user_service",
            __version__,
            required={"mongodb": lambda: ping(db)},
            shown={"worker": worker_check(MongoWorkerStates(db))},
        ),
        away=AWAY,
    )
    app.register_blueprint(routes)
    return app
