"""The wiring of the web process."""

from functools import partial

from apiflask import APIFlask

from libs.access.encryption import Encryption
from libs.access.revocations import Revocations
from libs.access.tokens import AccessTokens
from libs.mongo_store.connection import connect, is_unavailable, ping
from libs.mongo_store.revocations import MongoRevocations
from libs.mongo_store.worker_status import MongoWorkerStatus
from libs.runtime.health import Health, live_workers, worker_check
from libs.runtime.logs import configure_logs
from libs.runtime.telemetry.otel import start_tracing
from libs.web.flask import make_app
from user_service import __doc__ as description
from user_service import __version__
from user_service.api import accounts, mail_links, second_factor, sessions
from user_service.api.user_ids import UserIdConverter
from user_service.config import Config
from user_service.store.dummy_hashes import DummyHashes, share_of_old_hashes
from user_service.store.limits.rate_limits import Limiter


def create_app(config: Config) -> APIFlask:
    """The application. Call it after the fork, because a MongoDB client can't be used in two processes."""
    configure_logs("user_service", config.log_level, config.log_format)
    start_tracing("user_service", config, config.jwt_secret.get_secret_value().encode())
    db = connect(config.mongo_uri.get_secret_value())
    workers = MongoWorkerStatus(db)
    app = make_app(
        service="user_service",
        version=__version__,
        description=description or "",
        tokens=AccessTokens(
            config.jwt_secret,
            config.jwt_issuer,
            config.jwt_audience,
            config.access_token_seconds,
            Revocations(MongoRevocations(db).read),
        ),
        health=Health(
            "user_service",
            __version__,
            required={"mongodb": lambda: ping(db)},
            shown={"worker": worker_check(workers)},
            workers=partial(live_workers, workers),
        ),
        is_unavailable=is_unavailable,
        web=config,
        links={"account": "/users/me", "users": "/users"},
    )
    app.extensions |= {
        "config": config,
        "encryption": Encryption(config.encryption_key),
        "limiter": Limiter(db, limits(config)),
        "dummy_hashes": DummyHashes(config.jwt_secret, share_of_old_hashes),
    }
    app.url_map.converters["user_id"] = UserIdConverter
    for blueprint in (accounts.routes, sessions.routes, mail_links.routes, mail_links.pages, second_factor.routes):
        app.register_blueprint(blueprint)
    return app


def limits(config: Config) -> dict[str, str]:
    """The rate limits by name."""
    return {
        "register": config.rate_limit_register,
        "login": config.rate_limit_login,
        "reset": config.rate_limit_reset,
        "verify": config.rate_limit_verify,
        "mails": config.rate_limit_mails,
        "links": config.rate_limit_links,
        "export": config.rate_limit_export,
        "code": config.rate_limit_code,
        "failures": config.rate_limit_failures,
    }
