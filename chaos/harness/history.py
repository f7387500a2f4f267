"""What clients did and what they were told, as in Jepsen: each call ends as ok, fail or info (nobody knows)."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from chaos.harness.http import Answer, Outcome


@dataclass(frozen=True)
class Call:
    """One client call. `key` names what it meant to make: a user name, a product id, an idempotency key."""

    kind: str
    key: str
    at: float  # time.monotonic() of the invocation
    answer: Answer

    @property
    def outcome(self) -> Outcome:
        return self.answer.outcome


class History:
    """All calls of a test; any thread may add to it."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._lock = threading.Lock()

    def record(self, kind: str, key: str, call: Callable[[], Answer]) -> Answer:
        """Make a call and write down how it ended."""
        at = time.monotonic()
        answer = call()
        with self._lock:
            self._calls.append(Call(kind, key, at, answer))
        return answer

    def calls(self, kind: str | None = None, outcome: Outcome | None = None) -> list[Call]:
        """The calls so far, of one kind and with one outcome when given."""
        with self._lock:
            calls = list(self._calls)
        return [c for c in calls if kind in (None, c.kind) and outcome in (None, c.outcome)]

    def keys(self, kind: str, outcome: Outcome | None = None) -> set[str]:
        """What the calls meant to make."""
        return {call.key for call in self.calls(kind, outcome)}

    def statuses(self, kind: str | None = None) -> Counter[str]:
        """How often which answer came: `201`, `503`, `ConnectionResetError`."""
        return Counter(call.answer.error or str(call.answer.status) for call in self.calls(kind))

    def percentile(self, percent: float, calls: list[Call] | None = None) -> float:
        """Seconds within which that share of the calls was answered."""
        seconds = sorted(call.answer.seconds for call in (self.calls() if calls is None else calls))
        return seconds[min(len(seconds) - 1, int(len(seconds) * percent / 100))]
