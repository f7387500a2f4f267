"""The worker process: one thread per background task, and a status in the database every two seconds.

A thread that dies or hangs ends the process with an error, and the supervisor starts the process again.
"""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from libs.runtime.garbage import keep_loaded
from libs.runtime.health import (
    STALE_HEARTBEAT_SECONDS,
    CheckFailed,
    WorkerStatusStore,
    failure_reason,
    latest_status,
    skew_seconds,
)
from libs.runtime.logs import get_logger
from libs.runtime.telemetry.metric_families import dump

log = get_logger(__name__)

WRITE_SECONDS = 2
JOIN_SECONDS = 20
GRACE_SECONDS = 60  # how long a consumer may have no partition or no broker before that is a problem
EX_SOFTWARE = 70  # sysexits.h: internal error
Prepare = Callable[[threading.Event], None]
"""Called once in each thread before its task, with the event that stops the process."""


class BackgroundTask(Protocol):
    """A loop to run in a thread. `heartbeat` is time.monotonic() of its last turn."""

    name: str
    heartbeat: float

    def run(self, stop: threading.Event) -> None: ...
    def status(self) -> Mapping[str, object]: ...


class SupervisedThread(threading.Thread):
    """Runs `prepare` (create topics) and then a task, in a thread."""

    def __init__(self, task: BackgroundTask, stop: threading.Event, prepare: Prepare) -> None:
        super().__init__(name=task.name, daemon=True)
        self.task, self._stop_event, self._prepare, self._prepared = task, stop, prepare, False

    def run(self) -> None:
        try:
            self._prepare(self._stop_event)
            self.task.heartbeat, self._prepared = time.monotonic(), True
            self.task.run(self._stop_event)
        except Exception:
            log.exception("thread died", part=self.name)

    def problem(self) -> str | None:
        """Why the process has to end, or None."""
        hangs = self._prepared and time.monotonic() - self.task.heartbeat > STALE_HEARTBEAT_SECONDS
        return "hangs" if hangs else None if self.is_alive() else "died"


def run_worker(tasks: Sequence[BackgroundTask], store: WorkerStatusStore, prepare: Prepare) -> int:
    """Run `tasks` until SIGTERM or SIGINT. Return the exit status: 0, or 70 when a thread died or hung."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    keep_loaded()
    threads = [SupervisedThread(task, stop, prepare) for task in tasks]
    for thread in threads:
        thread.start()
    log.info("worker started", parts=[task.name for task in tasks], pid=os.getpid())
    broken: dict[str, str] = {}
    watch = ConsumerWatch()
    while not stop.wait(WRITE_SECONDS) and not broken:
        _write(store, tasks, watch)
        problems = {thread.name: problem for thread in threads if (problem := thread.problem())}
        if not stop.is_set():  # else the threads may have ended because of the signal
            broken = problems
    stop.set()
    end = time.monotonic() + JOIN_SECONDS
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    log.log(50 if broken else 20, "worker stopped", broken=broken)
    return EX_SOFTWARE if broken else 0


class ConsumerWatch:
    """Finds the consumers that have had no broker or no partition for GRACE_SECONDS. A rebalance is shorter."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], float] = {}

    def problems(self, statuses: Mapping[str, Mapping[str, object]]) -> list[str]:
        """A sentence for each problem. Call it with each new status of the tasks."""
        now = time.monotonic()
        found = {
            (name, text)
            for name, status in statuses.items()
            for field, text in (("broker", "no Kafka broker answers"), ("assigned", "no partition is assigned"))
            if field in status and not status[field]
        }
        self._since = {key: self._since.get(key, now) for key in found}
        return [f"{name}: {text}" for (name, text), since in self._since.items() if now - since >= GRACE_SECONDS]


def _write(store: WorkerStatusStore, tasks: Sequence[BackgroundTask], watch: ConsumerWatch) -> None:
    host = socket.gethostname()
    try:
        statuses = {task.name: task.status() for task in tasks}
        status: dict[str, object] = {"beat": store.now(), "host": host, "pid": os.getpid(), "parts": statuses}
        status |= {"metrics": dump()}
        status |= {"clock": {"skewSeconds": skew_seconds(store)}, "problems": watch.problems(statuses)}
        store.write(f"{host}:{os.getpid()}", status)
    except Exception as error:  # the database is unavailable: the stored heartbeat becomes stale, as it should
        log.warning("worker status not written", reason=failure_reason(error))


def check_worker(store: WorkerStatusStore) -> int:
    """Exit status of `check-worker`: 0 when the worker of this host wrote its status within the last 60 s, else 1."""
    try:
        latest_status(store, socket.gethostname())
    except CheckFailed as down:
        log.error("worker unhealthy", reason=str(down))
        return 1
    return 0
