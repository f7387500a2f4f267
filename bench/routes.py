"""The routes that are measured, at our services and at the plain peer."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench import goals
from bench.peers import Peer
from bench.request import Request
from bench.shop import Data
from tests.shop import Shop

FRAMEWORKS = {"user": "Flask", "product": "Flask", "order": "Django REST framework"}
"""The ceiling of a service: what a view of its framework that does nothing reaches."""
RUNNING = "workers running"


@dataclass(frozen=True)
class Route:
    """One route at both. `pace`: requests a second of the open loop. `held`: our workers are frozen while it is measured."""

    name: str
    service: str
    ours: Request
    peers: Request
    pace: int
    held: bool = False

    @property
    def ceiling(self) -> str:
        """The name of its ceiling."""
        return FRAMEWORKS[self.service]

    @property
    def places_orders(self) -> bool:
        """Whether its orders have to be decided soon."""
        return self.name.startswith("POST /orders") and not self.held


def all_routes(shop: Shop, data: Data, peer: Peer) -> list[Route]:
    """Every route, in the order of the table."""
    order, product = _order_routes(shop, data, peer), _product_routes(shop, data, peer)
    routes = [*product[:2], *order, *product[2:], *_user_routes(shop, data, peer)]
    assert [route.name for route in routes] == list(goals.RATIOS)
    return routes


def chosen(routes: Sequence[Route], words: Sequence[str]) -> list[Route]:
    """Those whose name has one of the words; all without words."""
    return [route for route in routes if not words or any(word in route.name for word in words)]


def _product_routes(shop: Shop, data: Data, peer: Peer) -> list[Route]:
    ours, theirs = shop.url("product"), peer.urls["product"]
    listed, one = "/products?limit=100", f"/products/{data.product['id']}"
    body = {"name": "Bench #", "price": "9.90", "stock": 5}
    new = Route(
        "POST /products, workers stopped",
        "product",
        Request(f"{ours}/products", "POST", data.staff, body),
        Request(f"{theirs}/products", "POST", peer.token, body | {"price": 9.9}),
        pace=100,
        held=True,
    )
    return [
        Route("GET /products?limit=100", "product", Request(ours + listed), Request(theirs + listed), pace=100),
        Route(
            "GET /products/{id}",
            "product",
            Request(ours + one),
            Request(f"{theirs}/products/{peer.product_id}"),
            pace=300,
        ),
        new,
        replace(new, name=f"POST /products, {RUNNING}", pace=50, held=False),
    ]


def _order_routes(shop: Shop, data: Data, peer: Peer) -> list[Route]:
    ours, theirs = shop.url("order"), peer.urls["order"]

    def read(name: str, path: str, peer_path: str, pace: int) -> Route:
        return Route(
            name,
            "order",
            Request(ours + path, "GET", data.customer),
            Request(theirs + peer_path, "GET", peer.token),
            pace,
        )

    new = Route(
        "POST /orders, workers stopped",
        "order",
        Request(f"{ours}/orders", "POST", data.customer, data.order_body),
        Request(f"{theirs}/orders", "POST", peer.token, peer.order_body),
        pace=100,
        held=True,
    )
    return [
        read("GET /orders?limit=20", "/orders?limit=20", "/orders?limit=20", 100),
        read("GET /orders/{id}", f"/orders/{data.order_id}", f"/orders/{peer.order_id}", 200),
        new,
        replace(new, name=f"POST /orders, {RUNNING}", pace=20, held=False),
    ]


def _user_routes(shop: Shop, data: Data, peer: Peer) -> list[Route]:
    ours, theirs = shop.url("user"), peer.urls["user"]
    person = {"username": "b.#", "email": "b.#@example.com", "password": secrets.token_urlsafe(12)}
    return [
        Route(
            "POST /login",
            "user",
            Request(f"{ours}/login", "POST", body=data.accounts),
            Request(f"{theirs}/login", "POST", body=peer.accounts),
            pace=10,
        ),
        Route(
            "POST /register",
            "user",
            Request(f"{ours}/register", "POST", body=person),
            Request(f"{theirs}/register", "POST", body=person),
            pace=10,
        ),
    ]
