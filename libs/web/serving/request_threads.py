"""The threads of a worker that serve requests.

`concurrent.futures` makes a Future with a lock for each request, and gunicorn then wakes its loop with the result. These threads
do neither (docs/adr/0066).
"""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any


class RequestThreads:
    """At most `count` threads that call `serve` with what is submitted. A thread is started when all others are busy."""

    def __init__(self, count: int, serve: Callable[[Any], None]) -> None:
        self._count, self._serve = count, serve
        self._started = 0
        self._waiting: list[None] = []  # an entry for each thread that waits; append and pop are atomic
        self._submitted: SimpleQueue[Any] = SimpleQueue()

    def submit(self, work: Any) -> None:
        """Serve `work` in a thread. Only the worker's loop calls it."""
        self._submitted.put((work,))
        try:
            self._waiting.pop()
        except IndexError:
            if self._started < self._count:
                self._started += 1
                Thread(target=self._run, name=f"request-{self._started}", daemon=True).start()

    def shutdown(self, wait: bool = False) -> None:
        """End the threads after what was submitted. It never waits: gunicorn has waited for the requests."""
        for _ in range(self._started):
            self._submitted.put(None)

    def _run(self) -> None:
        while found := self._submitted.get():
            self._serve(*found)
            self._waiting.append(None)
