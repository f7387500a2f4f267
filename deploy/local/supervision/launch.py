"""Becomes one process of the stack: `python -m deploy.local.supervision.launch STATE NAME [--log] [--die-with-parent]`.

With --log the process writes its log file itself. Through a pipe of the supervisor, a frozen supervisor would freeze the process.

supervisor writes no pid files. The process writes its pid itself before it executes the program, so the pid is right after
every restart. supervisor gives up a program that exits too quickly several times. A start after a quick exit waits for half a
second instead, so it is never given up and never loops.
"""

import ctypes
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from deploy.local.state import ROOT, State
from deploy.local.supervision.process import end, find_ours, pid_path, plan_path

YOUNG_SECONDS = 3.0
PAUSE_SECONDS = 0.5
PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Write the pid, end what the predecessor left, and execute the program. Never returns."""
    state, name = State(Path(arguments[0])), arguments[1]
    plan = json.loads(plan_path(state, name).read_text())
    if "--die-with-parent" in arguments:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if "--log" in arguments:
        _write_to(state.log / f"{name}.log")
    previous = _take_over(pid_path(state, name))
    if previous:
        end(state, _left_overs(state, previous), seconds=0)
    os.chdir(ROOT)
    os.execvpe(plan["argv"][0], plan["argv"], plan["env"])


def _write_to(log: Path) -> None:
    """Let stdout and stderr be the end of the file, also after a rotation has emptied it."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.close(file)


def _take_over(path: Path) -> int | None:
    """Put our pid into the file in one step, and return the one that it held."""
    previous, died_young = None, False
    if path.exists():
        previous = int(path.read_text() or 0)
        died_young = time.time() - path.stat().st_mtime < YOUNG_SECONDS
    fresh = path.with_suffix(".pid.new")
    fresh.write_text(f"{os.getpid()}\n")
    fresh.replace(path)
    if died_young:
        time.sleep(PAUSE_SECONDS)
    return previous


def _left_overs(state: State, group: int) -> list[int]:
    """Children of a killed predecessor, in its process group: a gunicorn worker may hold the port for another second."""
    found = []
    for pid in find_ours(state):
        with suppress(ProcessLookupError):
            if os.getpgid(pid) == group:
                found.append(pid)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
