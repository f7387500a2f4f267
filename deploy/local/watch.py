"""Waiting for one process of the stack, with a reason that a person can act on when it does not come up."""

from __future__ import annotations

import time
from collections.abc import Callable

from deploy.local import supervisor
from deploy.local.errors import LocalError, NotReady
from deploy.local.identity import pid_path, read_pid
from deploy.local.logs import last_line
from deploy.local.state import State
from deploy.local.wait import until_ready

MANY_STARTS = 4
STEADY_SECONDS = 2.0
POLL_SECONDS = 0.25  # each question is a line in the service's log


class Watch:
    """A process on its way up. One that keeps ending is given up long before its deadline."""

    def __init__(self, state: State, name: str) -> None:
        self._state = state
        self._name = name
        self._log = state.log / f"{name}.log"
        self._pids: set[int] = set()

    def wait(self, check: Callable[[], None], seconds: float) -> None:
        """Return when `check` raises NotReady no more. Raises LocalError with the end of the log."""

        def ask() -> None:
            self._check_starts()
            check()

        try:
            until_ready(ask, seconds, every=POLL_SECONDS)
        except NotReady as error:
            raise LocalError(f"{error} after {seconds:.0f} s. {self._last_words()}") from None

    def check_steady(self) -> None:
        """Raise NotReady unless the process has run for a while: all that can be seen of a worker from outside."""
        if read_pid(self._state, self._name) is None:
            raise NotReady(f"{self._name} is not running")
        if time.time() - pid_path(self._state, self._name).stat().st_mtime < STEADY_SECONDS:
            raise NotReady(f"{self._name} has only just started")

    def _check_starts(self) -> None:
        if not supervisor.is_running(self._state):
            raise LocalError(f"the supervisor ended: see {self._state.log / 'supervisor.log'}")
        pid = read_pid(self._state, self._name)
        if pid is not None:
            self._pids.add(pid)
        if len(self._pids) >= MANY_STARTS:
            raise LocalError(f"{self._name} ends again and again. {self._last_words()}")

    def _last_words(self) -> str:
        return f"It says: {last_line(self._log)} (log: {self._log})"
