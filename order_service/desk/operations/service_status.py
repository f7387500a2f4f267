"""How all four services do, for the dashboard: their /health, asked side by side and kept for a few seconds."""

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from libs.runtime.http_client import NoAnswer, call
from order_service.api.health import health
from order_service.desk.remote.client import PRODUCTS, USERS, Service

SECONDS = 0.5  # for an answer: with the wait for a turn under the second after which the breaker takes a request for a hanging one
FRESH_SECONDS = 5.0
OTHERS = (USERS, PRODUCTS, Service("notification_service", "NOTIFICATION_SERVICE_URL", "The mail service"))


@dataclass(frozen=True)
class ServiceState:
    """What a service says of itself, summed up. `lag` and `dead_letters` are those of all its consumers, None when nobody knows."""

    name: str
    status: Literal["ok", "degraded", "away"]
    words: str
    lag: int | None = None
    dead_letters: int | None = None


class _Known:
    """The states as this process saw them last."""

    def __init__(self) -> None:
        self.lock, self.states, self.until = threading.Lock(), list[ServiceState](), 0.0


_known = _Known()


def read_states() -> list[ServiceState]:
    """The states of the four services, at most FRESH_SECONDS old. One thread of a process asks, the others wait for it."""
    with _known.lock:
        if time.monotonic() >= _known.until:
            _known.states, _known.until = _read_states(), time.monotonic() + FRESH_SECONDS
        return list(_known.states)


def _read_states() -> list[ServiceState]:
    with ThreadPoolExecutor(len(OTHERS)) as pool:
        others = [pool.submit(_ask, service) for service in OTHERS]
        own = state_of("order_service", health.report()[1])
        user, product, notification = (other.result() for other in others)
    return [user, product, own, notification]


def _ask(service: Service) -> ServiceState:
    try:
        answer = call(service.address, "GET", "/health", until=time.monotonic() + SECONDS)
    except NoAnswer:
        return ServiceState(service.name, "away", "It does not answer.")
    if answer.status != 200 or answer.body.get("service") != service.name:
        return ServiceState(service.name, "away", f"Another server is at its address: it answers {answer.status}.")
    return state_of(service.name, answer.body)


def state_of(name: str, report: Mapping[str, Any]) -> ServiceState:
    """The state that a health report tells of."""
    checks: Mapping[str, Mapping[str, Any]] = report["checks"]
    parts = [(part, state) for check in checks.values() for part, state in check.get("parts", {}).items()]
    words = [*_troubles(checks), *_retries(parts)]
    status: Literal["ok", "degraded"] = "ok" if report["status"] == "ok" and not words else "degraded"
    lag, dead_letters = (
        sum(state.get(key, 0) for _, state in parts) if parts else None for key in ("lag", "deadLetters")
    )
    return ServiceState(name, status, "; ".join(words) or "All its parts work.", lag, dead_letters)


def _troubles(checks: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, check in checks.items():
        if check["status"] != "ok":
            yield f"{name}: {check.get('reason', 'down')}"


def _retries(parts: list[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    for name, state in parts:
        if retrying := state.get("retrying"):
            yield f"{name} tries an event again: {retrying.get('reason')}"
