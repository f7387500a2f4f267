"""The files in which gunicorn's processes share their metrics: prometheus_client's multiprocess mode.

A worker has a file for each type of metric. The directory belongs to one arbiter, and its name holds the arbiter's pid.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from libs.runtime.logs import get_logger

log = get_logger(__name__)

PREFIX = "metrics-"
DEAD = "dead"  # in the place of a pid: the sums of all workers that have ended


def open_directory() -> Path:
    """A new directory for the files of this process and its workers. Directories of killed arbiters are removed."""
    parent = Path(tempfile.gettempdir())
    for old in parent.glob(f"{PREFIX}*"):
        if _is_stale(old):
            shutil.rmtree(old, ignore_errors=True)
    path = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = path  # noqa: TID251 -- prometheus_client reads it at its import
    return Path(path)


def merge_dead(directory: Path, pid: int) -> None:
    """Add the counts of a worker that has ended to those of the earlier ones, and remove its files. Counters never fall."""
    for file in directory.glob(f"*_{pid}.db"):
        try:
            if not file.name.startswith("gauge_"):  # that is the present value of a process, which has ended
                _add_counts(file, file.with_name(file.name.replace(f"_{pid}.", f"_{DEAD}.")))
        except Exception as error:  # a killed worker may leave half a file, and an error here would end the arbiter
            log.warning("metrics of a worker lost", file=file.name, error=type(error).__name__)
        file.unlink(missing_ok=True)


def _add_counts(source: Path, target: Path) -> None:
    mmap_dict: Any = import_module("prometheus_client.mmap_dict")  # after open_directory has set the variable
    sums = mmap_dict.MmapedDict(str(target))
    try:
        for key, value, timestamp, _ in mmap_dict.MmapedDict.read_all_values_from_file(str(source)):
            sums.write_value(key, sums.read_value(key)[0] + value, timestamp)
    finally:
        sums.close()


def _is_stale(directory: Path) -> bool:
    """True when the arbiter that made it is no longer there. The own pid is that of an earlier container."""
    pid = directory.name.removeprefix(PREFIX).partition("-")[0]
    if not pid.isdigit() or directory.is_symlink():
        return False
    with suppress(OSError):
        if directory.stat().st_uid != os.getuid():
            return False
    if int(pid) == os.getpid():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False
