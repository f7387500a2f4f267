"""The log files of the processes: read as one stream, rotated, and set aside at a start."""

import os
import re
import shutil
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

from deploy.local.services import PROCESS_NAMES
from deploy.local.state import State
from deploy.log_lines import LogLine

TAIL_BYTES = 4096
MAX_BYTES = 10 * 1024 * 1024
TELLING = re.compile(r"error|critical|fatal|refus|can't|cannot|missing|denied", re.IGNORECASE)


def last_line(log: Path) -> str:
    """The last line that names an error, or the last line of the log."""
    try:
        lines = [line for line in log.read_text(errors="replace").splitlines()[-200:] if line.strip()]
    except OSError:
        return "(no log)"
    telling = [line for line in lines if TELLING.search(line)]
    return LogLine.of("", (telling or lines or ["(the log is empty)"])[-1]).message[:500]


class Follower:
    """Reads the lines that were added to the logs since the last read, through rotations too."""

    def __init__(self, state: State, processes: Sequence[str] = PROCESS_NAMES, *, tail: bool) -> None:
        """Begin at the end of each file; with `tail`, some lines before it."""
        self._paths = [state.log / f"{name}.log" for name in processes]
        self._rest: dict[str, bytes] = defaultdict(bytes)
        self._files: dict[str, BinaryIO] = {path.stem: path.open("rb") for path in self._paths if path.exists()}
        for file in self._files.values():
            size = file.seek(0, os.SEEK_END)
            if tail:
                file.seek(max(0, size - TAIL_BYTES))
                file.readline()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def read(self) -> list[tuple[str, str]]:
        """New whole lines as (process, line)."""
        lines: list[tuple[str, str]] = []
        for path in self._paths:
            name, file = path.stem, self._files.get(path.stem)
            if file:
                lines += self._take(name, file)
            if _was_rotated(path, file) if file else path.exists():
                self._files[name] = path.open("rb")
                lines += self._take(name, self._files[name])
                if file:
                    file.close()
        return lines

    def _take(self, name: str, file: BinaryIO) -> list[tuple[str, str]]:
        *whole, self._rest[name] = (self._rest[name] + file.read()).split(b"\n")
        return [(name, line.decode(errors="replace")) for line in whole]


def _was_rotated(path: Path, file: BinaryIO) -> bool:
    try:
        return path.stat().st_ino != os.fstat(file.fileno()).st_ino or path.stat().st_size < file.tell()
    except FileNotFoundError:  # a rotation has moved it, and the new file is not there yet
        return False


def rotate(directory: Path) -> None:
    """Copy each log of more than MAX_BYTES to NAME.log.1, and empty it. The processes keep their files open."""
    for path in directory.glob("*.log"):
        with suppress(FileNotFoundError):  # `make up` has moved it
            if path.stat().st_size > MAX_BYTES:
                shutil.copyfile(path, path.with_suffix(".log.1"))
                os.truncate(path, 0)


def set_aside(state: State) -> None:
    """Give each start its own logs: an error message must not quote an earlier start."""
    for path in state.log.glob("*.log"):
        if path.stem != "setup":
            path.replace(path.with_suffix(".log.1"))
