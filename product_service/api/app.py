"""The wiring of the web process."""

from functools import partial

from apiflask import APIFlask

from libs.access.revocations import Revocations
from libs.access.tokens import AccessTokens
from libs.mongo_store.connection import connect, is_unavailable, ping
from libs.mongo_store.revocations import MongoRevocations
from libs.mongo_store.worker_status import MongoWorkerStatus
from libs.runtime.health import Health, live_workers, worker_check
from libs.runtime.logs import configure_logs
from libs.runtime.telemetry.otel import start_tracing
from libs.web.flask import make_app
from libs.web.openapi import document_problems
from product_service import __doc__ as description
from product_service import __version__
from product_service.api import offers, products, reservations
from product_service.api.etags import with_conditions
from product_service.api.idempotency import with_idempotency_keys
from product_service.config import Config
from product_service.queries.product_json import ProductJson


def create_app(config: Config) -> APIFlask:
    """The application. Call it after the fork, because a MongoDB client does not survive a fork."""
    configure_logs("product_service", config.log_level, config.log_format)
    start_tracing("product_service", config, config.jwt_secret.get_secret_value().encode())
    db = connect(config.mongo_uri.get_secret_value())
    workers = MongoWorkerStatus(db)
    app = make_app(
        service="product_service",
        version=__version__,
        description=description or "",
        tokens=AccessTokens(
            config.jwt_secret,
            config.jwt_issuer,
            config.jwt_audience,
            revocations=Revocations(MongoRevocations(db).read),
        ),
        health=Health(
            "product_service",
            __version__,
            required={"mongodb": lambda: ping(db)},
            shown={"worker": worker_check(workers)},
            workers=partial(live_workers, workers),
        ),
        is_unavailable=is_unavailable,
        web=config,
        links={"products": "/products", "reservations": "/reservations"},
    )
    app.extensions |= {"config": config, "product_json": ProductJson(config.shop_currency)}
    app.spec_processor(lambda spec: with_idempotency_keys(with_conditions(document_problems(spec))))
    for module in (products, reservations, offers):
        app.register_blueprint(module.routes)
    return app
