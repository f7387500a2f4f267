"""Which processes are ours: a pid alone may belong to a stranger by now."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from deploy.local.state import State

PROC = Path("/proc")
KILL_SECONDS = 5.0


def pid_path(state: State, name: str) -> Path:
    """The file that holds the pid of a process."""
    return state.run / f"{name}.pid"


def read_pid(state: State, name: str) -> int | None:
    """The pid of a running process of this stack; None when it is not running or the pid is somebody else's by now."""
    try:
        pid = int(pid_path(state, name).read_text())
    except (OSError, ValueError):
        return None
    return pid if is_ours(state, pid) else None


def is_ours(state: State, pid: int) -> bool:
    """Whether a live process was started for this state directory: its environment says so from its first moment."""
    try:
        environment = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    return _lives(pid) and f"MICROSHOP_STATE={state.path}".encode() in environment.split(b"\0")


def _lives(pid: int) -> bool:
    """By the state letter of proc(5); the command name before it may hold spaces and brackets."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def find_ours(state: State) -> list[int]:
    """Every live process that was started for this state directory, by whoever: what a crash leaves behind."""
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    return sorted(pid for pid in pids if pid != os.getpid() and is_ours(state, pid))


def end(state: State, pids: list[int], seconds: float) -> None:
    """Ask processes to end, and kill those that have not after the given time.

    One that ends loses its environment before its ports, so it is waited for by its pid alone.
    """
    pids = [pid for pid in pids if is_ours(state, pid)]
    for signal_number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, KILL_SECONDS)):
        for pid in pids:
            if is_ours(state, pid):
                with suppress(ProcessLookupError):  # it ended by itself in the meantime
                    os.kill(pid, signal_number)
        deadline = time.monotonic() + patience
        while any(map(_lives, pids)) and time.monotonic() < deadline:
            time.sleep(0.05)
