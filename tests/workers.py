"""The worker of pytest-xdist that this process is."""

from __future__ import annotations

import os

from tests import free_ports


def worker() -> tuple[int, int] | None:
    """The number of this worker, from 0, and how many there are; None in a run without workers, and in what starts them."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "")
    return (int(name.removeprefix("gw")), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])) if name else None


def keep_to_own_ports() -> None:
    """Each worker picks its ports from a part of the range that no other one picks from."""
    if found := worker():
        number, count = found
        size = len(free_ports.OUR_RANGE) // count
        start = (
            free_ports.OUR_RANGE.start + number % count * size
        )  # a worker in place of one that crashed has a higher number
        free_ports.OUR_RANGE = range(start, start + size)
