"""The service on a real MongoDB: an app, a client, people with tokens, products."""

import os
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import mongoengine
import pytest
from apiflask import APIFlask
from bson import ObjectId
from flask.testing import FlaskClient

from chassis.auth import Tokens
from chassis.env import load
from product_service.app import create_app
from product_service.config import Config
from product_service.models import Product, ensure_indexes, movements, products

Headers = dict[str, str]


@pytest.fixture(scope="package")
def config(mongo: str) -> Config:
    uri = mongo.replace("/microshop_test", "/product_service_test")
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


@pytest.fixture
def token_of(config: Config) -> Callable[..., Headers]:
    """`token_of("staff")`: the headers of somebody with these roles."""
    tokens = Tokens(config.jwt_secret, config.jwt_issuer, config.jwt_audience)

    def mint(*roles: str) -> Headers:
        token = tokens.mint(user_id=str(ObjectId()), email="a@example.com", username="someone", roles=roles)
        return {"Authorization": f"Bearer {token}"}

    return mint


@pytest.fixture
def staff(token_of: Callable[..., Headers]) -> Headers:
    return token_of("staff")


@pytest.fixture
def make(client: FlaskClient, staff: Headers) -> Callable[..., dict[str, Any]]:
    """`make(price="1.00")`: a product, made over HTTP."""

    def post(**fields: Any) -> dict[str, Any]:
        body = {"name": f"Lamp {secrets.token_hex(4)}", "price": "19.90", "stock": 100} | fields
        answer = client.post("/products", json=body, headers=staff)
        assert answer.status_code == 201, answer.json
        product: dict[str, Any] = answer.json["product"]
        return product

    return post


@pytest.fixture
def pending(app: APIFlask) -> Callable[[str], list[dict[str, Any]]]:
    """`pending(product_id)`: the outbox rows of a product, in order."""
    rows = Product._get_db()["outbox"]
    return lambda product_id: list(rows.find({"aggregate_id": product_id}).sort("sequence", 1))


@pytest.fixture
def moved(app: APIFlask) -> Callable[[str], list[int]]:
    """`moved(product_id)`: the stock's movements; their sum is checked against the stock."""

    def deltas(product_id: str) -> list[int]:
        key = ObjectId(product_id)
        found = [movement["delta"] for movement in movements().find({"product": key}).sort("_id", 1)]
        assert sum(found) == products().find_one({"_id": key})["stock"]
        return found

    return deltas
