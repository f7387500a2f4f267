"""The resident memory of a stack, from what Linux reports of each process."""

from __future__ import annotations

import os
from pathlib import Path

from deploy.local.services import PROCESS_NAMES
from deploy.local.state import State
from deploy.local.supervision.process import find_ours, read_pid


def measure(state: State) -> dict[str, float]:
    """MiB by process name, children included.

    A page that several processes share counts for each with its part (Pss, proc_pid_smaps(5)): so that the sum is what
    the machine really spends on the shop.
    """
    groups = {read_pid(state, name): name for name in (*PROCESS_NAMES, "supervisor")}
    sizes = dict.fromkeys(groups.values(), 0.0)
    for pid in find_ours(state):
        name = groups.get(os.getpgid(pid))
        if name:
            sizes[name] += _pss(pid)
    return sizes


def _pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
