"""The lines that a command prints while it works: one for each step, with its time."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Go on without output: rich would end the start when the reader of its output ends."""
        self.file = open(os.devnull, "w")  # noqa: SIM115 # stays open for the rest of the process


console = _Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def say(text: str) -> None:
    """Print one line at once."""
    console.print(text)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print the title with its time when the block ends. A terminal shows the running time before."""
    started = time.monotonic()
    columns = (TextColumn(" "), SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            progress.add_task(title, total=None)
            yield
    except BaseException:
        say(f"  {title}: failed after {time.monotonic() - started:.1f} s")
        raise
    say(f"  {title} ({time.monotonic() - started:.1f} s)")
