"""Starts again what dies, as the local stack's supervisor and every orchestrator do."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from chaos.harness.child import Child

LOOK_SECONDS = 0.1


class Supervisor:
    """A thread that lives as long as its children, for they die with the thread that started them."""

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._starts: list[Child] = []
        self._stop = threading.Event()
        self._started = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def open(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def start(self, child: Child) -> None:
        """Start a child, once the thread gets to it, and keep it up until its `stop`."""
        before = child.starts
        with self._started:
            self._starts.append(child)
            self._started.wait_for(lambda: child.starts > before, 10)

    def close(self, children: Iterable[Child]) -> None:
        """Stop the children in the given order, and the thread."""
        for child in children:
            child.stop()
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            with self._started:
                for child in self._starts:
                    child.start()
                    if child not in self._children:
                        self._children.append(child)
                self._starts.clear()
                self._started.notify_all()
            for child in self._children:
                if child.wanted and not child.is_running():
                    child.start()
