"""One process: what it takes to start it, whether a pid is ours, and how it is ended.

A pid alone may belong to another program by now. The environment of our processes holds MICROSHOP_STATE, and only a process that
has it is ever ended.
"""

import json
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.install.programs import PATH
from deploy.local.state import ROOT, State

SUPERVISOR = "supervisor"
KILL_SECONDS = 5.0
ENDED = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


@dataclass(frozen=True)
class Process:
    """A command with exactly the given environment: no variable of the starting shell is passed on.

    It runs in `directory`. A process that does not end within `stop_seconds` of a stop is killed.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: int = 30
    directory: Path = ROOT

    def write_plan(self, state: State) -> Path:
        """Write what `launch` needs, readable by the owner only: the environment holds secrets."""
        path = plan_path(state, self.name)
        path.touch(mode=0o600)
        plan = {"argv": self.argv, "env": base_env(state) | dict(self.env), "directory": str(self.directory)}
        path.write_text(json.dumps(plan))
        return path


def plan_path(state: State, name: str) -> Path:
    """The file that holds the plan of a process."""
    return state.run / f"{name}.plan"


def base_env(state: State) -> dict[str, str]:
    """The variables of every process."""
    kept = {name: os.environ[name] for name in ("HOME", "USER", "LANG", "TZ") if name in os.environ}
    ours = {"PATH": PATH, "TMPDIR": str(state.temporary), "MICROSHOP_STATE": str(state.path)}
    return kept | ours | {"PYTHONUNBUFFERED": "1"}


def pid_path(state: State, name: str) -> Path:
    """The file that holds the pid of a process."""
    return state.run / f"{name}.pid"


def read_pid(state: State, name: str) -> int | None:
    """The pid of a running process of this stack. None when it does not run, or when the pid belongs to another program."""
    try:
        pid = int(pid_path(state, name).read_text())
    except (OSError, ValueError):
        return None
    return pid if is_ours(state, pid) else None


def is_ours(state: State, pid: int) -> bool:
    """Whether a live process was started for this state directory."""
    return bool(_find(state, pid))


def _find(state: State, pid: int) -> list[psutil.Process]:
    """The process in a list, which is empty unless it lives and is ours."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.environ().get("MICROSHOP_STATE") == str(state.path) and _lives(process):
            return [process]
    return []


def _lives(process: psutil.Process) -> bool:
    """Whether it runs. A zombie with threads does: its first thread has ended, and the others still have its ports."""
    try:
        return process.is_running() and (process.status() not in ENDED or process.num_threads() > 1)
    except psutil.Error:
        return False


def find_ours(state: State) -> list[int]:
    """Every live process that was started for this state directory, also what a crash has left."""
    return [pid for pid in psutil.pids() if pid != os.getpid() and is_ours(state, pid)]


def end(state: State, pids: list[int], seconds: float) -> None:
    """Send SIGTERM to those processes that are ours, and SIGKILL to those that have not ended after `seconds`.

    An ending process loses its environment before its ports, so this waits until the process itself has ended.
    """
    processes = [process for pid in pids for process in _find(state, pid)]
    for signal_number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, KILL_SECONDS)):
        for process in filter(_lives, processes):
            with suppress(psutil.NoSuchProcess):  # it has just ended
                process.send_signal(signal_number)
        deadline = time.monotonic() + patience
        while any(map(_lives, processes)) and time.monotonic() < deadline:
            time.sleep(0.05)
