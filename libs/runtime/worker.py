"""The worker process: a relay thread and consumer threads, and a beat that tells the world they do.

A thread that dies or hangs ends the process with an error, and the supervisor starts it again: never alive and deaf.
"""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from libs.runtime.health import STALE_BEAT_SECONDS, CheckFailed, WorkerStatusStore, failure_reason, latest_status
from libs.runtime.logs import get_logger

log = get_logger(__name__)

WRITE_SECONDS = 2
JOIN_SECONDS = 20
EX_SOFTWARE = 70  # sysexits.h: internal error
Prepare = Callable[[threading.Event], None]


class BackgroundTask(Protocol):
    """A loop to run in a thread; `heartbeat` is time.monotonic() of its last turn."""

    name: str
    heartbeat: float

    def run(self, stop: threading.Event) -> None: ...
    def status(self) -> dict[str, Any]: ...


class SupervisedThread(threading.Thread):
    """A part in a thread, after `prepare` (create topics) was done."""

    def __init__(self, part: BackgroundTask, stop: threading.Event, prepare: Prepare) -> None:
        super().__init__(name=part.name, daemon=True)
        self.part, self._stop_event, self._prepare, self._prepared = part, stop, prepare, False

    def run(self) -> None:
        try:
            self._prepare(self._stop_event)
            self.part.heartbeat, self._prepared = time.monotonic(), True
            self.part.run(self._stop_event)
        except Exception:
            log.exception("thread died", part=self.name)

    def problem(self) -> str | None:
        """Why the process must end, or None."""
        hangs = self._prepared and time.monotonic() - self.part.heartbeat > STALE_BEAT_SECONDS
        return "hangs" if hangs else None if self.is_alive() else "died"


def run_worker(parts: Sequence[BackgroundTask], states: WorkerStatusStore, prepare: Prepare) -> int:
    """Run `parts` until SIGTERM or SIGINT; return the exit status, 0 unless a part died or hung."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threads = [SupervisedThread(part, stop, prepare) for part in parts]
    for thread in threads:
        thread.start()
    log.info("worker started", parts=[part.name for part in parts], pid=os.getpid())
    broken: dict[str, str] = {}
    while not stop.wait(WRITE_SECONDS) and not broken:
        _write(states, parts)
        problems = {thread.name: problem for thread in threads if (problem := thread.problem())}
        if not stop.is_set():  # while the state was written: then they have ended because they were told to
            broken = problems
    stop.set()
    end = time.monotonic() + JOIN_SECONDS
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    log.log(50 if broken else 20, "worker stopped", broken=broken)
    return EX_SOFTWARE if broken else 0


def _write(states: WorkerStatusStore, parts: Sequence[BackgroundTask]) -> None:
    host = socket.gethostname()
    try:
        parts_now = {part.name: part.status() for part in parts}
        states.write(f"{host}:{os.getpid()}", {"beat": time.time(), "host": host, "parts": parts_now})
    except Exception as error:  # the database is away: the beat in it grows old, which is the truth
        log.warning("state not written", reason=failure_reason(error))


def check_worker(states: WorkerStatusStore) -> int:
    """Exit status for `check-worker`: 0 when this host's worker wrote its state within a minute, else 1."""
    try:
        latest_status(states, socket.gethostname())
    except CheckFailed as down:
        log.error("worker is not well", reason=str(down))
        return 1
    return 0
