"""The service on a real MongoDB: an app, a client, tokens, products, orders."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import mongoengine
import pytest
from apiflask import APIFlask
from bson import ObjectId
from flask.testing import FlaskClient
from ulid import ULID

from libs.access.tokens import AccessTokens
from libs.messaging.envelope import Event
from libs.runtime.config import load
from libs.values.times import rfc3339
from product_service.api.app import create_app
from product_service.config import Config
from product_service.events.topics import GROUP
from product_service.store.documents import db, movements, products
from product_service.store.indexes import ensure_indexes
from product_service.tests.integration.processes import Command, run_command, running_worker
from product_service.worker.handlers import make_handlers

Headers = dict[str, str]

HANDLERS = make_handlers("USD")


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
    """`token_of("staff")`: the headers of a user with these roles."""
    tokens = AccessTokens(config.jwt_secret, config.jwt_issuer, config.jwt_audience)

    def mint(*roles: str, user_id: str = "") -> Headers:
        token = tokens.mint(user_id=user_id or str(ObjectId()), email="a@example.com", username="someone", roles=roles)
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
        response = client.post("/products", json=body, headers=staff)
        assert response.status_code == 201, response.json
        product: dict[str, Any] = response.json["product"]
        return product

    return post


@pytest.fixture
def pending(app: APIFlask) -> Callable[[str], list[dict[str, Any]]]:
    """`pending(product_id)`: the outbox rows of a product, in order."""
    rows = db()["outbox"]
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


def order_event(topic: str, lines: list[tuple[str, int, str]], placed_at: datetime | None = None) -> Event:
    """An event of a new order with these (product id, quantity, unit price), as the consumer passes it on."""
    order_id, moment = str(ULID()), rfc3339(placed_at or datetime.now(UTC))
    items = [{"productId": product, "quantity": quantity, "unitPrice": price} for product, quantity, price in lines]
    data = {"orderId": order_id, "timestamp": moment, "currency": "USD", "items": items}
    return Event(id=str(ULID()), type=topic, subject=order_id, sequence=1, time=moment, data=data)


@pytest.fixture
def place(app: APIFlask) -> Callable[..., Event]:
    """`place((product_id, quantity, price), …)`: an order-placed event, handled; it may be handled again."""

    def handle(*lines: tuple[str, int, str], placed_at: datetime | None = None) -> Event:
        event = order_event("order-placed", list(lines), placed_at)
        HANDLERS[GROUP][event.type](event)
        return event

    return handle


@pytest.fixture
def cancel(app: APIFlask) -> Callable[[Event], None]:
    """`cancel(order)`: the order-cancelled event of an order, handled."""

    def handle(order: Event) -> None:
        HANDLERS[GROUP]["order-cancelled"](
            replace(order, id=str(ULID()), type="order-cancelled", sequence=order.sequence + 1)
        )

    return handle


@pytest.fixture
def stock_of(app: APIFlask) -> Callable[[str], int]:
    """`stock_of(product_id)`: the pieces that can be sold."""
    return lambda product_id: products().find_one({"_id": ObjectId(product_id)})["stock"]


@pytest.fixture
def own_environ(config: Config) -> dict[str, str]:
    """The variables with this package's database, for the service's processes."""
    return {"MONGO_URI": config.mongo_uri.get_secret_value()}


@pytest.fixture
def run(own_environ: dict[str, str]) -> Command:
    """`run("seed", MONGO_URI=…)`: a command to its end."""
    return lambda *arguments, **environ: run_command(*arguments, environ={**own_environ, **environ})


@pytest.fixture
def start_worker(own_environ: dict[str, str], kafka: str) -> Callable[[], AbstractContextManager[Any]]:
    """`with start_worker():` a worker that runs while the block lasts."""
    return lambda: running_worker({**own_environ, "KAFKA_BROKERS": kafka})
