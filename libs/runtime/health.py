"""Health: is the process alive, may it take traffic, and how do all its parts do.

Workers have no port. They write their state to their database every two seconds; the web process shows it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from libs.runtime.logs import get_logger

log = get_logger(__name__)

STALE_BEAT_SECONDS = 60
REFUSED = (18, 1045)  # MongoDB's AuthenticationFailed, MySQL's ER_ACCESS_DENIED_ERROR
REFUSAL = "the server refuses the login: the account or its password is wrong"

Check = Callable[[], Mapping[str, Any]]  # details to show; raises when the thing checked is down


class CheckFailed(Exception):
    """Raised by a check; the text is shown, and `details` beside it."""

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.details = details


class WorkerStatusStore(Protocol):
    """Where workers leave their states: `{"beat": epoch seconds, "host": str, "parts": {name: dict}}`."""

    def write(self, worker: str, state: Mapping[str, Any]) -> None: ...
    def read(self) -> Sequence[Mapping[str, Any]]: ...


@dataclass(frozen=True)
class Health:
    """`required` decides readiness; `shown` is told, and degrades the report."""

    service: str
    version: str
    required: Mapping[str, Check] = field(default_factory=dict)
    shown: Mapping[str, Check] = field(default_factory=dict)

    def live(self) -> tuple[int, dict[str, Any]]:
        """Always 200: the process answers."""
        return 200, {"status": "ok", "service": self.service}

    def ready(self) -> tuple[int, dict[str, Any]]:
        """200, or 503 when a required check is down."""
        report = self._run(self.required)
        return (200 if report["status"] == "ok" else 503), report

    def report(self) -> tuple[int, dict[str, Any]]:
        """Always 200; `status` is `ok` or `degraded`."""
        return 200, self._run({**self.required, **self.shown})

    def parts(self) -> dict[str, Mapping[str, Any]]:
        """The states of the workers' and consumers' parts by name, for the metrics."""
        checks = self._run(self.shown)["checks"].values()
        return {name: state for check in checks for name, state in check.get("parts", {}).items()}

    def _run(self, checks: Mapping[str, Check]) -> dict[str, Any]:
        results = {name: _outcome(name, check) for name, check in checks.items()}
        status = "ok" if all(r["status"] == "ok" for r in results.values()) else "degraded"
        return {"status": status, "service": self.service, "version": self.version, "checks": results}


def _outcome(name: str, check: Check) -> dict[str, Any]:
    try:
        return {"status": "ok", **check()}
    except CheckFailed as down:
        return {"status": "down", "reason": str(down), **down.details}
    except Exception as error:  # a check says what is down; it never breaks the page that tells
        log.warning("health check failed", check=name, reason=(reason := failure_reason(error)))
        return {"status": "down", "reason": reason}


def failure_reason(error: Exception) -> str:
    """What is wrong with a server behind: a refused login in words, everything else by the error's name; never a value."""
    code = getattr(error, "code", None) or next(iter(error.args), None)
    return REFUSAL if code in REFUSED else type(error).__name__


def latest_status(states: WorkerStatusStore, host: str | None = None) -> Mapping[str, Any]:
    """The state of the worker (on `host`, when given) that wrote last. Raises Down without a beat in the last minute."""
    found = [s for s in states.read() if host in (None, s["host"])]
    if not found:
        raise CheckFailed("no worker has written its state yet")
    newest = max(found, key=lambda s: float(s["beat"]))
    age = time.time() - float(newest["beat"])
    if age > STALE_BEAT_SECONDS:
        raise CheckFailed(f"the worker's last beat is {age:.0f} s old", parts=newest["parts"])
    return newest


def worker_check(states: WorkerStatusStore) -> Check:
    """A Check that shows the newest worker's parts."""
    return lambda: {
        "beatAgeSeconds": round(time.time() - float((s := latest_status(states))["beat"]), 1),
        "parts": s["parts"],
    }
