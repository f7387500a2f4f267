"""What threads do now, and when it has to be over. A watchdog ends the process when a step is overdue."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

MARGIN_SECONDS = 10.0


class Steps:
    """The present step of each thread. Safe to use from several threads."""

    def __init__(self) -> None:
        self._steps = dict[int, tuple[str, float]]()

    def begin(self, name: str, seconds: float) -> None:
        """This thread begins a step that takes at most so many seconds. It ends the step before it."""
        self._steps[threading.get_ident()] = name, time.monotonic() + seconds

    def end(self) -> None:
        """This thread has no step: it waits for work."""
        self._steps.pop(threading.get_ident(), None)

    @contextmanager
    def step(self, name: str, seconds: float) -> Iterator[None]:
        """A step as a block. After it the thread is in the step that it was in before."""
        thread = threading.get_ident()
        before = self._steps.get(thread)
        self.begin(name, seconds)
        try:
            yield
        finally:
            if before is None:
                self.end()
            else:
                self._steps[thread] = before

    def overdue(self) -> str | None:
        """The name of a step that should have been over for 10 s. None: there is none."""
        latest = time.monotonic() - MARGIN_SECONDS
        return next((name for name, end in list(self._steps.values()) if end < latest), None)
