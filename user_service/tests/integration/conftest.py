"""The service on a real MongoDB: an app, a client, and people with accounts."""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import mongoengine
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from libs.runtime.config import load
from user_service.api.app import create_app
from user_service.config import Config
from user_service.store.documents import User
from user_service.store.indexes import ensure_indexes
from user_service.store.limits.mail_limits import MailLimits
from user_service.use_cases.accounts.register_user import register_user


@pytest.fixture(scope="package")
def config(mongo: str) -> Config:
    uri = mongo.replace("/microshop_test", "/user_service_test")
    return load(Config, {**os.environ, "MONGO_URI": uri, "RATE_LIMIT_FAILURES": "off"})  # all tests share an address


@pytest.fixture(scope="package")
def app(config: Config) -> Iterator[APIFlask]:
    app = create_app(config)
    ensure_indexes()
    yield app
    mongoengine.disconnect()


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    return app.test_client()


@dataclass
class Person:
    id: str
    username: str
    email: str
    password: str
    headers: dict[str, str]
    refresh: str = ""

    @property
    def credentials(self) -> dict[str, str]:
        return {"email": self.email, "password": self.password}


class People:
    """Makes accounts, each with a session."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def make(self, *roles: str, verified: bool = False) -> Person:
        tag = secrets.token_hex(5)
        username, email, password = f"u{tag}", f"U{tag}@example.com", f"Correct-horse-{tag}"
        user_id = register_user(username=username, email=email, password=password, roles=roles, verified=verified).id
        person = Person(user_id, username, email, password, {})
        return self.log_in(person)

    def log_in(self, person: Person, **more: str) -> Person:
        """The same person in a new session."""
        answer = self._client.post("/login", json=person.credentials | more)
        assert answer.status_code == 200, answer.json
        return replace(person, headers=bearer(answer), refresh=answer.json["refresh"])

    def refresh(self, person: Person) -> Person:
        """The same person with the next tokens of the session."""
        answer = self._client.post("/token/refresh", json={"refresh": person.refresh})
        assert answer.status_code == 200, answer.json
        return replace(person, headers=bearer(answer), refresh=answer.json["refresh"])


def bearer(answer: Any) -> dict[str, str]:
    """The header of an answer's access token."""
    return {"Authorization": f"Bearer {answer.json['token']}"}


def within(seconds: float, condition: Callable[[], object]) -> None:
    """Wait until `condition()` is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not become true in time"
        time.sleep(0.02)


@pytest.fixture
def people(client: FlaskClient) -> People:
    return People(client)


@pytest.fixture
def limits(app: APIFlask) -> MailLimits:
    """The limits of mails with links for some client's address."""
    return MailLimits(app.extensions["limiter"], client_address="192.0.2.99")


@pytest.fixture
def pending(app: APIFlask) -> Any:
    """`pending(user_id)`: the outbox rows of an account, in order."""
    rows = User._get_db()["outbox"]
    return lambda user_id: list(rows.find({"aggregate_id": user_id}).sort("sequence", 1))
