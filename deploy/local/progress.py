"""What the person at the terminal sees while the stack works: one line a step, with the time it took."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

ALIVE_SECONDS = 2.0


def say(text: str) -> None:
    """Print one line at once. A start must not fail because nobody reads its output any more."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 # stays open: it is where the output goes from here on


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print the title with its time when the block ends. On a terminal a long step counts its seconds meanwhile."""
    started = time.monotonic()
    over = threading.Event()
    ticker = threading.Thread(target=_tick, args=(title, started, over), daemon=True)
    ticker.start()
    try:
        yield
    except BaseException:
        _finish(over, ticker)
        say(f"  {title}: failed after {time.monotonic() - started:.1f} s")
        raise
    _finish(over, ticker)
    say(f"  {title} ({time.monotonic() - started:.1f} s)")


def _tick(title: str, started: float, over: threading.Event) -> None:
    on_terminal = sys.stdout.isatty()
    every = 1.0 if on_terminal else 10.0
    over.wait(ALIVE_SECONDS)
    while not over.is_set():
        seconds = time.monotonic() - started
        line = f"  {title} … {seconds:.0f} s"
        print(f"\r{line}" if on_terminal else line, end="" if on_terminal else "\n", flush=True)
        over.wait(every)


def _finish(over: threading.Event, ticker: threading.Thread) -> None:
    over.set()
    ticker.join()
    if sys.stdout.isatty():
        print("\r\033[K", end="")
