"""The threads of this process that wait for their database, so that the circuit breaker counts no other wait.

The stores report to `WAITS`: the start and the end of each operation, and whether the server is reachable.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class DatabaseWaits:
    """Safe to use from several threads: each writes its own entry. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._began: dict[int, float] = {}
        self._lost_at: float | None = None

    def begin(self) -> None:
        """This thread waits for the database from now on."""
        self._began[threading.get_ident()] = time.monotonic()

    def end(self) -> None:
        """This thread waits no longer."""
        self._began.pop(threading.get_ident(), None)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """This thread waits for the database in the block."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def set_reachable(self, reachable: bool) -> None:
        """Whether the driver knows a server that it can use. Without one, every request waits for it."""
        self._lost_at = None if reachable else self._lost_at or time.monotonic()

    def since(self, thread: int, request_began: float) -> float | None:
        """When this thread's wait began. None when it does not wait."""
        if (began := self._began.get(thread)) is not None:
            return began
        return None if self._lost_at is None else max(request_began, self._lost_at)


WAITS = DatabaseWaits()
"""Those of this process. A service has one database."""
