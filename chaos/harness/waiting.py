"""Waiting for a condition, with a deadline: no test sleeps in place of one."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], seconds: float, what: object = "", every: float = 0.05) -> float:
    """Wait until `condition` is true; return the seconds it took. Fails after `seconds`; `what` is told then."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what() if callable(what) else what}"
        time.sleep(every)
    return time.monotonic() - began
