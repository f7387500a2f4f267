"""The CPU time of the shop's processes, by what they do: what Linux counts of each (proc_pid_stat(5)), through psutil."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import psutil

from deploy.local.services import PROCESS_NAMES
from deploy.local.supervision.process import read_pid
from tests.shop import Shop

GROUPS = {"mongo": "mongod", "mysql": "mysqld", "kafka": "kafka", "mail": "mail catcher"}
"""Group of a process that is no service."""
SHOWN = ("web", "workers", "mongod", "mysqld", "kafka")

Seconds = Mapping[str, float]


def group_of(name: str) -> str:
    """The group of a process of the stack: `web`, `workers`, or the name of a server."""
    return GROUPS.get(name) or ("web" if name.endswith("-web") else "workers")


def read(shop: Shop) -> Seconds:
    """CPU seconds so far, by group, children included."""
    found = dict.fromkeys([*SHOWN, "mail catcher"], 0.0)
    for name in PROCESS_NAMES:
        if pid := read_pid(shop.state, name):  # without the mail catcher when another server takes the mails
            found[group_of(name)] += seconds_of(pid)
    return found


def seconds_of(pid: int) -> float:
    """CPU seconds so far of a process and its children."""
    spent = 0.0
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            spent += times.user + times.system
    return spent


def per_event(before: Seconds, after: Seconds, events: int) -> dict[str, float]:
    """Milliseconds of CPU time for each event, by group."""
    return {group: (after[group] - before[group]) * 1000 / max(1, events) for group in after}
