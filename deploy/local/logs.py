"""`make logs`: all log files as one stream. Each line begins with the name of its process."""

import os
import re
import sys
import time
from pathlib import Path
from typing import BinaryIO, Self

from deploy.local.services import PROCESS_NAMES
from deploy.local.state import State

COLOURS = (36, 33, 32, 35, 34, 31, 96, 93, 92, 95, 94)
NAME_WIDTH = 14
POLL_SECONDS = 0.2
TAIL_BYTES = 4096
TELLING = re.compile(r"error|critical|fatal|refus|can't|cannot|missing|denied", re.IGNORECASE)


def last_line(log: Path) -> str:
    """The last line that names an error, or the last line of the log."""
    try:
        lines = [line for line in log.read_text(errors="replace").splitlines()[-200:] if line.strip()]
    except OSError:
        return "(no log)"
    telling = [line for line in lines if TELLING.search(line)]
    return (telling or lines or ["(the log is empty)"])[-1].strip()[:500]


class Follower:
    """Reads the lines that were added to the logs since the last read, through rotations too."""

    def __init__(self, state: State, *, tail: bool) -> None:
        """Begin at the end of each file; with `tail`, some lines before it."""
        self._state = state
        self._files: dict[str, BinaryIO] = {}
        self._rest: dict[str, bytes] = {}
        for path in self._paths():
            file = self._open(path)
            size = file.seek(0, os.SEEK_END)
            if tail:
                file.seek(max(0, size - TAIL_BYTES))
                file.readline()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def _paths(self) -> list[Path]:
        paths = [self._state.log / f"{name}.log" for name in PROCESS_NAMES]
        return [path for path in paths if path.exists()]

    def _open(self, path: Path) -> BinaryIO:
        self._files[path.stem] = file = path.open("rb")
        return file

    def read(self) -> list[tuple[str, str]]:
        """New whole lines as (process, line)."""
        lines: list[tuple[str, str]] = []
        for path in self._paths():
            file = self._files.get(path.stem) or self._open(path)
            lines += self._take(path.stem, file)
            if _was_rotated(path, file):
                file.close()
                lines += self._take(path.stem, self._open(path))
        return lines

    def _take(self, name: str, file: BinaryIO) -> list[tuple[str, str]]:
        *whole, self._rest[name] = (self._rest.get(name, b"") + file.read()).split(b"\n")
        return [(name, line.decode(errors="replace")) for line in whole]


def _was_rotated(path: Path, file: BinaryIO) -> bool:
    try:
        return path.stat().st_ino != os.fstat(file.fileno()).st_ino or path.stat().st_size < file.tell()
    except FileNotFoundError:
        return False


def follow(follower: Follower) -> None:
    """Print lines until interrupted."""
    while True:
        for name, line in follower.read():
            print(_prefix(name) + line)
        sys.stdout.flush()
        time.sleep(POLL_SECONDS)


def _prefix(name: str) -> str:
    text = f"{name:<{NAME_WIDTH}} | "
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\033[{COLOURS[PROCESS_NAMES.index(name) % len(COLOURS)]}m{text}\033[0m"


def set_aside(state: State) -> None:
    """Give each start its own logs: an error message must not quote an earlier start."""
    for path in state.log.glob("*.log"):
        if path.stem != "setup":
            path.replace(path.with_suffix(".log.1"))
