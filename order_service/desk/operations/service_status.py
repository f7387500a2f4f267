"""The status of all four services for the overview: their /health, requested in parallel and cached for a few seconds."""

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from libs.runtime.http_client import NoResponse, call, deadline
from order_service.api.health import health
from order_service.desk.remote.client import MAILS, PRODUCTS, USERS, Service

TIMEOUT_SECONDS = 0.5  # with the wait for the lock below 1 s, after which the circuit breaker counts a request as slow
CACHE_SECONDS = 5.0
OTHERS = (USERS, PRODUCTS, MAILS)
HealthPart = Mapping[str, Any]  # JSON of a /health response: a check, or the status of a background task


@dataclass(frozen=True)
class ServiceState:
    """The summary of a service's health. `lag` and `dead_letters` are sums over its consumers, None when unknown."""

    name: str
    status: Literal["ok", "degraded", "unavailable"]
    text: str
    lag: int | None = None
    dead_letters: int | None = None


class _Cache:
    """The states that this process read last."""

    def __init__(self) -> None:
        self.lock, self.states, self.until = threading.Lock(), list[ServiceState](), 0.0


_cache = _Cache()


def read_states() -> list[ServiceState]:
    """The states of the four services, at most CACHE_SECONDS old. One thread reads them, the others wait for it."""
    with _cache.lock:
        if time.monotonic() >= _cache.until:
            _cache.states, _cache.until = _read_states(), time.monotonic() + CACHE_SECONDS
        return list(_cache.states)


def _read_states() -> list[ServiceState]:
    with ThreadPoolExecutor(len(OTHERS)) as pool:
        others = [pool.submit(_read_state, service) for service in OTHERS]
        own = state_of("order_service", health.report()[1])
        user, product, notification = (other.result() for other in others)
    return [user, product, own, notification]


def _read_state(service: Service) -> ServiceState:
    try:
        status, report = call(service.address, "GET", "/health", until=deadline(TIMEOUT_SECONDS))
    except NoResponse:
        return ServiceState(service.name, "unavailable", "It does not respond.")
    if status != 200 or report.get("service") != service.name:
        text = f"Another server listens at its address. It responds with status {status}."
        return ServiceState(service.name, "unavailable", text)
    return state_of(service.name, report)


def state_of(name: str, report: HealthPart) -> ServiceState:
    """The summary of a health report."""
    checks: Mapping[str, HealthPart] = report["checks"]
    tasks = [(task, status) for check in checks.values() for task, status in check.get("parts", {}).items()]
    texts = [*_failed_checks(checks), *_retries(tasks)]
    status: Literal["ok", "degraded"] = "ok" if report["status"] == "ok" and not texts else "degraded"
    lag, dead_letters = (sum(one.get(key, 0) for _, one in tasks) if tasks else None for key in ("lag", "deadLetters"))
    return ServiceState(name, status, "; ".join(texts) or "All its parts work.", lag, dead_letters)


def _failed_checks(checks: Mapping[str, HealthPart]) -> Iterator[str]:
    for name, check in checks.items():
        if check["status"] != "ok":
            yield f"{name}: {check.get('reason', 'down')}"


def _retries(tasks: list[tuple[str, HealthPart]]) -> Iterator[str]:
    for name, status in tasks:
        if retrying := status.get("retrying"):
            yield f"{name} retries an event: {retrying.get('reason')}"
