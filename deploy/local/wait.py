"""Waiting: for a condition with a deadline, and for several things at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from deploy.local.errors import NotReady

Item = TypeVar("Item")


def until_ready(check: Callable[[], None], seconds: float, every: float = 0.1) -> None:
    """Call `check` until it raises NotReady no more; raise its last NotReady when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return check()
        except NotReady:
            if time.monotonic() > deadline:
                raise
        time.sleep(every)


def side_by_side(work: Callable[[Item], None], items: Iterable[Item]) -> None:
    """Do the work for all items at the same time; raise the first error at once, without waiting for the others."""
    pool = ThreadPoolExecutor()
    try:
        for done in as_completed([pool.submit(work, item) for item in items]):
            done.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
