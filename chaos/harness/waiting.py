"""Waiting for a condition, with a deadline: no test sleeps in place of one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from chaos.harness.history import Call
from tests.workers import worker

BESIDE_OTHERS = 5


def promised(seconds: float) -> float:
    """The deadline that a test asserts: the promised one, or five times as long where other groups of tests run beside it.

    The promises are for a machine that does nothing else, as in `make chaos`. What `make test` asserts is that it happens.
    """
    return seconds * BESIDE_OTHERS if worker() else seconds


def check_succeeded(calls: Iterable[Call], told: object) -> None:
    """Fail with `told` unless all calls succeeded. Beside other groups of tests 503 is allowed, too: the machine is busy."""
    allowed = {503} if worker() else set()
    assert not [call for call in calls if call.outcome != "ok" and call.answer.status not in allowed], told


def wait_until(condition: Callable[[], object], seconds: float, what: object = "", every: float = 0.05) -> float:
    """Wait until `condition` is true; return the seconds it took. Fails after `seconds`; `what` is told then."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what() if callable(what) else what}"
        time.sleep(every)
    return time.monotonic() - began
