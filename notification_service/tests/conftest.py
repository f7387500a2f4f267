"""The service without servers: a configuration, an application, and tokens of each role."""

import os
from collections.abc import Iterator

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from libs.access.tokens import AccessTokens
from libs.runtime.config import load
from notification_service.api.app import create_app
from notification_service.config import Config
from notification_service.rendering.composer import Composer
from notification_service.worker.process import make_composer


@pytest.fixture
def config() -> Config:
    return load(Config, dict(os.environ))


@pytest.fixture
def composer(config: Config) -> Composer:
    return make_composer(config)


@pytest.fixture
def app(config: Config) -> Iterator[APIFlask]:
    app = create_app(config)
    app.extensions["tokens"].revocations.know_all()  # the worker, which reads them, is not started
    yield app
    app.extensions["worker"].mailer.close()


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def as_role(config: Config):
    """`as_role("staff")`: the headers of a caller with that role; `as_role()` of a customer. `email`: the caller's address."""
    tokens = AccessTokens(config.jwt_secret, config.jwt_issuer, config.jwt_audience)

    def headers(*roles: str, email: str = "grace@example.com") -> dict[str, str]:
        token = tokens.mint(user_id="a" * 24, email=email, username="grace", roles=roles)
        return {"Authorization": f"Bearer {token}"}

    return headers
