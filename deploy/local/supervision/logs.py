"""The log files of the processes: their last lines, their rotation, and how a start sets them aside."""

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from deploy.local.state import State
from deploy.log_lines import LogLine

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
