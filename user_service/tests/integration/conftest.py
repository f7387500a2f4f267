"""The service on a real MongoDB: an app, a client, and people."""

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import mongoengine
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from chassis.env import load
from user_service.app import create_app
from user_service.config import Config
from user_service.models import User, ensure_indexes
from user_service.use_cases import register_user


@pytest.fixture(scope="package")
def config(mongo: str) -> Config:
    uri = mongo.replace("/microshop_test", "/user_service_test")
    return load(Config, {**os.environ, "MONGO_URI": uri})


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


class People:
    """Makes accounts, each with a token."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def make(self, *roles: str) -> Person:
        tag = secrets.token_hex(5)
        username, email, password = f"u{tag}", f"U{tag}@example.com", f"Correct-horse-{tag}"
        user_id = register_user(username=username, email=email, password=password, roles=roles)
        answer = self._client.post("/login", json={"email": email, "password": password})
        assert answer.status_code == 200
        return Person(user_id, username, email, password, {"Authorization": f"Bearer {answer.json['token']}"})


@pytest.fixture
def people(client: FlaskClient) -> People:
    return People(client)


@pytest.fixture
def pending(app: APIFlask) -> Any:
    """`pending(user_id)`: the outbox rows of an account, in order."""
    rows = User._get_db()["outbox"]
    return lambda user_id: list(rows.find({"aggregate_id": user_id}).sort("sequence", 1))
