"""Runs a service with another clock: `python -m chaos.harness.off_clock FILE SERVICE COMMAND …`. For tests only.

FILE holds by how many seconds the clock is ahead (8 bytes, a double). It may change at any time, and all processes that are forked
follow. time.time, time.time_ns and datetime.now are set. The monotonic clock is not, as when the clock of a host is set. Libraries
in C, such as the Kafka client, read the host's clock.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import runpy
import struct
import sys
import time
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

DOUBLE = struct.Struct("d")


def set_clock(file: Path, seconds: float) -> None:
    """From now on the clock of the processes that were started with `file` is ahead by so many seconds."""
    if not file.exists():
        file.write_bytes(DOUBLE.pack(seconds))
        return
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), DOUBLE.size) as shared:
        DOUBLE.pack_into(shared, 0, seconds)


def install(file: Path) -> None:
    """Let this process read the clock that `file` sets. Call it before other modules are imported."""
    with file.open("r+b") as opened:
        shared = mmap.mmap(opened.fileno(), DOUBLE.size)
    host_time, host_time_ns = time.time, time.time_ns

    def ahead() -> float:
        return float(DOUBLE.unpack_from(shared)[0])

    def now(cls: type[datetime], tz: tzinfo | None = None) -> datetime:
        return cls.fromtimestamp(time.time(), tz)

    def utcnow(cls: type[datetime]) -> datetime:
        return cls.fromtimestamp(time.time(), UTC).replace(tzinfo=None)

    time.time = lambda: host_time() + ahead()
    time.time_ns = lambda: host_time_ns() + int(ahead() * 1e9)
    _set_methods(datetime, {"now": classmethod(now), "utcnow": classmethod(utcnow)})


def _set_methods(kind: type, methods: dict[str, Any]) -> None:
    """Set attributes of a class in C, which Python refuses. So the class itself, and all that compares it, stays."""
    (attributes,) = gc.get_referents(kind.__dict__)
    attributes.update(methods)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))


def main() -> None:
    """Become the service."""
    file, module, *arguments = sys.argv[1:]
    install(Path(file))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
