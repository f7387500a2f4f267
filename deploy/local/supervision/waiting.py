"""Waiting: for a condition with a deadline, for several things at once, and for one process of the stack."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from deploy.local.errors import LocalError, NotReady
from deploy.local.state import State
from deploy.local.supervision.logs import last_line
from deploy.local.supervision.process import SUPERVISOR, pid_path, read_pid

READY_SECONDS = 90.0
MANY_STARTS = 4
STEADY_SECONDS = 2.0
POLL_SECONDS = 0.25  # each check is a line in the service's log

Item = TypeVar("Item")
Result = TypeVar("Result")


def until_ready(check: Callable[[], Result], seconds: float, every: float = 0.1) -> Result:
    """Call `check` until it raises no NotReady, and return its result. Raise its last NotReady after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return check()
        except NotReady:
            if time.monotonic() > deadline:
                raise
        time.sleep(every)


def side_by_side(work: Callable[[Item], None], items: Iterable[Item]) -> None:
    """Do the work for all items at the same time. Raise the first error at once, without waiting for the others."""
    pool = ThreadPoolExecutor()
    try:
        for done in as_completed([pool.submit(work, item) for item in items]):
            done.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class Watch:
    """Waits for one process to come up. It gives up early on a process that ends again and again."""

    def __init__(self, state: State, name: str) -> None:
        self._state, self._name, self._pids = state, name, set[int]()

    def wait(self, check: Callable[[], None]) -> None:
        """Return when `check` raises no NotReady. Raises LocalError after 90 s, with the end of the process's log."""

        def watched() -> None:
            self._check_starts()
            check()

        try:
            until_ready(watched, READY_SECONDS, every=POLL_SECONDS)
        except NotReady as error:
            raise LocalError(f"{error} after {READY_SECONDS:.0f} s. {self._last_words()}") from None

    def check_steady(self) -> None:
        """Raise NotReady unless the process has run for 2 s. A worker shows no more to the outside."""
        if read_pid(self._state, self._name) is None:
            raise NotReady(f"{self._name} is not running")
        if time.time() - pid_path(self._state, self._name).stat().st_mtime < STEADY_SECONDS:
            raise NotReady(f"{self._name} has only just started")

    def _check_starts(self) -> None:
        if read_pid(self._state, SUPERVISOR) is None:
            raise LocalError(f"the supervisor ended: see {self._state.log / SUPERVISOR}.log")
        pid = read_pid(self._state, self._name)
        if pid is not None:
            self._pids.add(pid)
        if len(self._pids) >= MANY_STARTS:
            raise LocalError(f"{self._name} ends again and again. {self._last_words()}")

    def _last_words(self) -> str:
        log = self._state.log / f"{self._name}.log"
        return f"It says: {last_line(log)} (log: {log})"
