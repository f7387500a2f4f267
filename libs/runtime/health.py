"""Health: whether the process is alive, whether it may take traffic, and the status of all that it uses.

Workers have no port. They write their status to their database every two seconds, and the web process shows it.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from libs.runtime.logs import get_logger
from libs.runtime.telemetry.status_metrics import StatusMetric, WorkerStatus

log = get_logger(__name__)

STALE_HEARTBEAT_SECONDS = 60
SLOW_SECONDS, REST_SECONDS = 1.0, 20.0
MAX_SKEW_SECONDS = 5  # between a host's clock and its database's
LOGIN_REFUSED_CODES = (18, 1045)  # MongoDB's AuthenticationFailed, MySQL's ER_ACCESS_DENIED_ERROR
LOGIN_REFUSED = "the server refuses the login: the account or its password is wrong"

Check = Callable[[], Mapping[str, Any]]
"""Returns details to show. Raises when what it checks is down."""


class CheckFailed(Exception):
    """Raised by a check. The report shows the text and the `details`."""

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.details = details


class WorkerStatusStore(Protocol):
    """Keeps the status of each worker, in a database.

    A status is `{"beat": seconds since the epoch, "host": str, "parts": {task: status}, "clock": {"skewSeconds": float},
    "problems": [sentence]}`. `beat` and `now` are by the database's clock, because the hosts of workers and web processes differ.
    """

    def now(self) -> float: ...
    def write(self, worker: str, state: Mapping[str, Any]) -> None: ...
    def read(self) -> Sequence[Mapping[str, Any]]: ...


@dataclass(slots=True)
class _Rest:
    """Until when the status of the workers is not read, by time.monotonic()."""

    until: float = -math.inf


@dataclass(frozen=True)
class Health:
    """The checks of a service. `required` decides whether it is ready. `shown` only degrades the report.

    `workers` reads the status of each worker for the metrics. `metrics`: those that the service adds to STATUS_METRICS.
    """

    service: str
    version: str
    required: Mapping[str, Check] = field(default_factory=dict)
    shown: Mapping[str, Check] = field(default_factory=dict)
    workers: Callable[[], Sequence[WorkerStatus]] = list
    metrics: Sequence[StatusMetric] = ()
    _rest: _Rest = field(default_factory=_Rest)

    def live(self) -> tuple[int, dict[str, Any]]:
        """Always 200, because the process answers."""
        return 200, {"status": "ok", "service": self.service}

    def ready(self) -> tuple[int, dict[str, Any]]:
        """200, or 503 when a required check is down."""
        report = self._run(self.required)
        return (200 if report["status"] == "ok" else 503), report

    def report(self) -> tuple[int, dict[str, Any]]:
        """Always 200. `status` is `ok` or `degraded`."""
        return 200, self._run({**self.required, **self.shown})

    def worker_statuses(self) -> Sequence[WorkerStatus]:
        """The status of each worker, for the metrics. None while they can't be read.

        They matter most while its database is unavailable. A read takes four seconds then, and Prometheus waits for five. So
        after a slow failure the next read is 20 s later, and the metrics of the web process come at once.
        """
        if time.monotonic() < self._rest.until:
            return []
        began = time.monotonic()
        try:
            return self.workers()
        except Exception as error:
            if time.monotonic() - began > SLOW_SECONDS:
                self._rest.until = time.monotonic() + REST_SECONDS
            log.warning("no metrics of the workers", reason=failure_reason(error))
            return []

    def _run(self, checks: Mapping[str, Check]) -> dict[str, Any]:
        results = {name: _outcome(name, check) for name, check in checks.items()}
        status = "ok" if all(r["status"] == "ok" for r in results.values()) else "degraded"
        return {"status": status, "service": self.service, "version": self.version, "checks": results}


def _outcome(name: str, check: Check) -> dict[str, Any]:
    try:
        return {"status": "ok", **check()}
    except CheckFailed as down:
        return {"status": "down", "reason": str(down), **down.details}
    except Exception as error:  # an error of a check is a result, and never an error of the report
        log.warning("health check failed", check=name, reason=(reason := failure_reason(error)))
        return {"status": "down", "reason": reason}


def failure_reason(error: Exception) -> str:
    """Why a server failed: a sentence for a refused login, else the name of the error. It holds no value."""
    code = getattr(error, "code", None) or next(iter(error.args), None)
    return LOGIN_REFUSED if code in LOGIN_REFUSED_CODES else type(error).__name__


def live_workers(store: WorkerStatusStore) -> Sequence[WorkerStatus]:
    """The status of each worker that wrote it within the last 60 s."""
    now = store.now()
    return [status for status in store.read() if abs(now - float(status["beat"])) <= STALE_HEARTBEAT_SECONDS]


def latest_status(store: WorkerStatusStore, host: str | None = None) -> Mapping[str, Any]:
    """The newest status of a worker (on `host`, when given). Raises CheckFailed when it is older than a minute."""
    found = [status for status in store.read() if host in (None, status["host"])]
    if not found:
        raise CheckFailed("no worker has written its status yet")
    now = store.now()
    present = [status for status in found if float(status["beat"]) - now <= MAX_SKEW_SECONDS]
    newest = max(
        present or found, key=lambda s: float(s["beat"])
    )  # an ended worker may have a beat of before a clock was set back
    age = now - float(newest["beat"])
    if age > STALE_HEARTBEAT_SECONDS:
        raise CheckFailed(f"the worker's last heartbeat is {age:.0f} s old", parts=newest["parts"])
    if age < -MAX_SKEW_SECONDS:
        raise CheckFailed(f"the worker's last heartbeat is {-age:.0f} s in the future", parts=newest["parts"])
    return newest


def skew_seconds(store: WorkerStatusStore) -> float:
    """How far this host's clock is ahead of the database's; negative when it is behind."""
    return round(time.time() - store.now(), 1)


def problems_of(status: Mapping[str, Any]) -> list[str]:
    """What is wrong with a worker, a sentence each: its own `problems`, its clock, and the `problem` of each task."""
    problems = list(status.get("problems", ()))
    problems += [f"{name}: {task['problem']}" for name, task in status["parts"].items() if task.get("problem")]
    return problems + skew_problems(status.get("clock", {}).get("skewSeconds", 0.0), "the worker")


def skew_problems(skew: float, whose: str) -> list[str]:
    """A sentence when the clock of `whose` host differs too much from its database's."""
    if abs(skew) <= MAX_SKEW_SECONDS:
        return []
    return [f"the clock of {whose} is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} its database's"]


def worker_check(store: WorkerStatusStore) -> Check:
    """A Check that shows the tasks of the worker with the newest status. It fails with the problems of the worker."""

    def check() -> Mapping[str, Any]:
        newest = latest_status(store)
        age = round(store.now() - float(newest["beat"]), 1)
        shown = {"beatAgeSeconds": age, "clock": newest.get("clock", {}), "parts": newest["parts"]}
        problems = problems_of(newest) + skew_problems(skew_seconds(store), "this process")
        if problems:
            raise CheckFailed("; ".join(problems), **shown)
        return shown

    return check
