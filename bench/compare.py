"""Ours beside the plain peer, in one run: each route in turn, three rounds, medians."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial

import psutil

from bench import load, peers, pipeline
from bench.load import Load
from bench.peers import Peer
from bench.report import Row
from bench.shop import Data
from deploy.local.console import step
from deploy.local.errors import LocalError
from tests.shop import Shop

ROUNDS, SECONDS = 3, 6


@dataclass(frozen=True)
class Route:
    """One route at both. `aim` is the least ratio of ours to the peer's. `held`: our workers are frozen while it is measured."""

    service: str
    method: str
    shown: str
    ours: str
    peers: str
    aim: float
    our_body: object = None
    peer_body: object = None
    token: str = ""
    held: bool = False


def measure(shop: Shop, data: Data) -> list[Row]:
    """A row for each route: the ratio, with both rates, our share of CPU for each request, and latencies."""
    with step("installing the peer"):
        peers.install()
    with peers.running(shop) as peer:
        return [_measure_route(shop, peer, route) for route in _routes(data, peer)]


def _routes(data: Data, peer: Peer) -> Iterator[Route]:
    product, order, orders = data.product["id"], data.order_id, "/orders?limit=20"
    body = {"name": "Bench #", "price": "9.90", "stock": 5}
    place = partial(
        Route, "order", "POST", ours="/orders", peers="/orders", our_body=data.order_body, peer_body=peer.order_body
    )
    make = partial(
        Route, "product", "POST", ours="/products", peers="/products", our_body=body, peer_body=body | {"price": 9.9}
    )
    yield Route("product", "GET", "GET /products?limit=100", "/products?limit=100", "/products?limit=100", 3.0)
    yield Route("product", "GET", "GET /products/{id}", f"/products/{product}", f"/products/{peer.product_id}", 1.6)
    yield Route("order", "GET", "GET /orders?limit=20", orders, orders, 1.2, token=data.customer)
    yield Route(
        "order", "GET", "GET /orders/{id}", f"/orders/{order}", f"/orders/{peer.order_id}", 1.2, token=data.customer
    )
    yield place("POST /orders, workers stopped", aim=1.5, token=data.customer, held=True)
    yield place("POST /orders, workers running", aim=0.8, token=data.customer)
    yield make("POST /products, workers stopped", aim=0.8, token=data.staff, held=True)
    yield make("POST /products, workers running", aim=0.6, token=data.staff)
    yield Route("user", "POST", "POST /login", "/login", "/login", 3.0, data.credentials, peer.credentials)


def _measure_route(shop: Shop, peer: Peer, route: Route) -> Row:
    ours: list[Load] = []
    theirs: list[Load] = []
    cpu: list[float] = []
    with step(f"{route.shown}, beside the peer"):
        for _ in range(ROUNDS):
            with pipeline.held(shop, *pipeline.WORKERS) if route.held else nullcontext(), _cpu_of(shop, route) as spent:
                ours.append(_load(shop.url(route.service, route.ours), route, route.our_body, route.token))
            cpu.append(spent[0] / max(1.0, ours[-1].per_second * (SECONDS + load.WARM_UP_SECONDS)) * 1000)
            pipeline.wait_handled(shop)  # else our workers would share the cores with the peer
            token = peer.token if route.token else ""
            theirs.append(_load(peer.urls[route.service] + route.peers, route, route.peer_body, token))
    rate, plain = (statistics.median(found.per_second for found in loads) for loads in (ours, theirs))
    middle = sorted(ours, key=lambda found: found.per_second)[ROUNDS // 2]
    note = f"{rate:,.0f}/s to {plain:,.0f}/s, {statistics.median(cpu):.2f} ms CPU of {route.service}-web a request, "
    return Row(
        f"`{route.shown}`", rate / plain, "x", route.aim, note=f"{note}p50 {middle.p50:.1f} ms, p99 {middle.p99:.1f} ms"
    )


def _load(url: str, route: Route, body: object, token: str) -> Load:
    found = load.run(url, method=route.method, token=token, body=body, seconds=SECONDS)
    if found.failed:
        raise LocalError(f"{route.shown}: {found.failed} requests failed at {url}")
    return found


@contextmanager
def _cpu_of(shop: Shop, route: Route) -> Iterator[list[float]]:
    """The CPU seconds of the web process of the service and its children, while the block lasts."""
    before, spent = _seconds(shop, route), [0.0]
    yield spent
    spent[0] = _seconds(shop, route) - before


def _seconds(shop: Shop, route: Route) -> float:
    web = psutil.Process(shop.pid(f"{route.service}-web"))
    times = [process.cpu_times() for process in (web, *web.children(recursive=True))]
    return sum(spent.user + spent.system for spent in times)
