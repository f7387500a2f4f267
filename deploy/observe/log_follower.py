"""The logs of the processes as one stream."""

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Self

from deploy.local.services import PROCESS_NAMES
from deploy.local.state import State

TAIL_BYTES = 4096


class LogFollower:
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
