"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import time
from collections.abc import Callable

from deploy.local.errors import NotReady


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
