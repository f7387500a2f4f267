"""Becomes one process of the stack: `python -m deploy.local.launch STATE NAME`.

supervisor keeps no pid files and knows two kinds of dying: "exited" (started again at once) and "exited too quickly"
(a growing back-off, then given up). Here the pid is written by the process itself before it turns into the program,
so it is right after every restart; and a program that dies young waits half a second, so that it neither spins nor is
ever given up.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path

from deploy.local.identity import end, find_ours, pid_path
from deploy.local.process import plan_path
from deploy.local.state import ROOT, State

YOUNG_SECONDS = 3.0
PAUSE_SECONDS = 0.5
PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Write the pid, clear what the predecessor left, and exec the program. Never returns."""
    state, name = State(Path(arguments[0])), arguments[1]
    plan = json.loads(plan_path(state, name).read_text())
    if "--die-with-parent" in arguments:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    previous = _take_over(pid_path(state, name))
    if previous:
        end(state, _left_overs(state, previous), seconds=0)
    os.chdir(ROOT)
    os.execvpe(plan["argv"][0], plan["argv"], plan["env"])


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
    return [pid for pid in find_ours(state) if _group(pid) == group]


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


if __name__ == "__main__":
    main(sys.argv[1:])
