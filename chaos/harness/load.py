"""Clients at a steady rate: the next call is made on time, whatever became of the last one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from chaos.harness.waiting import wait_until

THREADS = 64


class Load:
    """Calls `act` `rate` times a second from a pool of threads; errors of `act` end the test that asks `finish`."""

    def __init__(self, act: Callable[[int], Any], rate: float) -> None:
        self._act, self._rate = act, rate
        self._stop, self._pool = threading.Event(), ThreadPoolExecutor(THREADS, "client")
        self._calls: list[Future[Any]] = []
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def count(self) -> int:
        """Calls begun so far."""
        return len(self._calls)

    def wait(self, calls: int) -> None:
        """Wait until so many calls more were begun."""
        goal = self.count + calls
        wait_until(lambda: self.count >= goal, calls / self._rate * 3 + 10)

    def finish(self) -> None:
        """Begin no more calls, wait for the last; raise what a call raised."""
        self._stop.set()
        self._thread.join()
        self._pool.shutdown(wait=True)
        for call in self._calls:
            call.result()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._stop.wait(max(0.0, began + self.count / self._rate - time.monotonic())):
            self._calls.append(self._pool.submit(self._act, self.count))


@contextmanager
def load(act: Callable[[int], Any], rate: float) -> Iterator[Load]:
    """A load as long as the block; it is over, answers and all, when the block is."""
    clients = Load(act, rate)
    clients.start()
    try:
        yield clients
    finally:
        clients.finish()
