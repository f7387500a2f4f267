"""The clock of the host, as this process reads it, set forward or back."""

from __future__ import annotations

import datetime as calendar
import time
from typing import Any, Self

import pytest

from libs.messaging import envelope
from libs.values import times


def shift(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Set it `seconds` forward. The monotonic clock goes on, as it does when the clock of a host jumps."""
    right, right_ns = time.time, time.time_ns

    class Shifted(calendar.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Self:
            return super().now(tz) + calendar.timedelta(seconds=seconds)

    monkeypatch.setattr(time, "time", lambda: right() + seconds)
    monkeypatch.setattr(time, "time_ns", lambda: right_ns() + int(seconds * 1e9))
    for module in (times, envelope):
        monkeypatch.setattr(module, "datetime", Shifted)
