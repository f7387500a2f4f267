"""The only wiring of the web process."""

from apiflask import APIFlask

from chassis.auth import Tokens
from chassis.flask import make_app
from chassis.health import Health, worker_check
from chassis.logs import configure_logs
from messaging.mongo import AWAY, MongoRevocations, MongoWorkerStates, connect, ping
from messaging.revocations import Revocations
from user_service import __doc__ as description
from user_service import __version__
from user_service.api import mailed, routes, second_factor, sessions
from user_service.attempts import Limiter
from user_service.config import Config


def create_app(config: Config) -> APIFlask:
    """The application; call it after the fork, for the MongoDB client does not survive one."""
    configure_logs("user_service", config.log_level, config.log_format)
    db = connect(config.mongo_uri.get_secret_value())
    app = make_app(
        service="user_service",
        version=__version__,
        description=description or "",
        tokens=Tokens(
            config.jwt_secret,
            config.jwt_issuer,
            config.jwt_audience,
            config.access_token_seconds,
            Revocations(MongoRevocations(db).since).check,
        ),
        health=Health(
            "user_service",
            __version__,
            required={"mongodb": lambda: ping(db)},
            shown={"worker": worker_check(MongoWorkerStates(db))},
        ),
        away=AWAY,
        web=config,
    )
    app.extensions |= {"config": config, "limiter": Limiter(db, limits(config))}
    for blueprint in (routes.routes, sessions.routes, mailed.routes, mailed.pages, second_factor.routes):
        app.register_blueprint(blueprint)
    return app


def limits(config: Config) -> dict[str, str]:
    """The rate limits by name."""
    return {
        "register": config.rate_limit_register,
        "login": config.rate_limit_login,
        "reset": config.rate_limit_reset,
        "code": "20/hour",  # wrong codes of an account, from everywhere: there are only a million
    }
