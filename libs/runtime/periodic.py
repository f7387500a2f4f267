"""The periodic loop: a task of the worker that does its work again and again, and survives an unavailable server."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from libs.runtime.health import failure_reason
from libs.runtime.logs import get_logger

log = get_logger(__name__)

HEARTBEAT_SECONDS = 5.0
REST = 4  # after a full batch the task pauses for so many times as long as it took: it uses a fifth of a thread at most
Status = Mapping[str, object]


def _no_status() -> Status:
    return {}


class PeriodicTask:
    """A BackgroundTask that runs `work` at the start and then every `seconds`.

    `work` returns how much it did, by name. The status holds the sums since the start: `counts` lists their names.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Mapping[str, int]],
        *,
        seconds: float,
        is_temporary: Callable[[Exception], bool],
        counts: Sequence[str] = (),
        batch: int | None = None,
        status: Callable[[], Status] = _no_status,
    ) -> None:
        """`is_temporary`: whether an error of `work` may pass, as when a server does not serve. The work is then tried again within
        5 s. Another error ends the thread.
        `batch`: a count this high means that more is left, so the work runs again after a short pause, of 5 s at most.
        `status`: further values to show beside the sums. It may raise what `work` may raise."""
        self.name, self._work, self._seconds, self._is_temporary = name, work, seconds, is_temporary
        self._sums, self._batch, self._more_status = dict.fromkeys(counts, 0), batch, status
        self._due, self._pause, self.heartbeat = 0.0, 0.0, time.monotonic()

    def status(self) -> dict[str, object]:
        """The sums since the start, and what the `status` callback adds."""
        return {**self._more_status(), **self._sums}

    def run(self, stop: threading.Event) -> None:
        """Run the work when it is due, until `stop` is set."""
        while not stop.is_set():
            self.heartbeat = time.monotonic()
            if self.heartbeat >= self._due:
                self._due = self.heartbeat + self._run_once()
            stop.wait(self._pause)

    def _run_once(self) -> float:
        """Run the work once. Return the seconds until it is due again."""
        self._pause, began = min(self._seconds, HEARTBEAT_SECONDS), time.monotonic()
        try:
            done = self._work()
        except Exception as error:
            if not self._is_temporary(error):
                raise
            log.warning("server unavailable, task postponed", task=self.name, reason=failure_reason(error))
            return 0.0
        for name, count in done.items():
            self._sums[name] = self._sums.get(name, 0) + count
        more = self._batch is not None and any(count >= self._batch for count in done.values())
        if more:
            self._pause = min(self._pause, REST * (time.monotonic() - began))
        return 0.0 if more else self._seconds
