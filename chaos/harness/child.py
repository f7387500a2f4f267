"""One process of the shop under test: started, killed, frozen and watched by its pid, which is ours."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from chaos.harness import off_clock
from chaos.harness.waiting import wait_until
from deploy.local.state import ROOT, State
from deploy.local.supervision.process import Process


class Child:
    """A process and its children, which form a process group of their own. `wanted` tells the supervisor to keep it up."""

    def __init__(self, process: Process, state: State) -> None:
        self.name, self._process, self._state = process.name, process, state
        self.wanted, self.starts = False, 0
        self._popen: subprocess.Popen[bytes] | None = None
        process.write_plan(state)

    @property
    def env(self) -> Mapping[str, str]:
        """The variables it was given."""
        return self._process.env

    def set_options(self, *options: str) -> None:
        """Further arguments of the command, from the next start on; none: as at first."""
        replace(self._process, argv=(*self._process.argv, *options)).write_plan(self._state)

    def set_clock(self, seconds: float) -> None:
        """Its clock is ahead by so many seconds: from its next start on. At once when it was started with a clock of its own."""
        file = self._state.run / f"{self.name}.clock"
        off_clock.set_clock(file, seconds)
        argv = self._process.argv
        if off_clock.__name__ not in argv:
            argv = (*argv[:2], off_clock.__name__, str(file), *argv[2:])
            self._process = replace(self._process, argv=argv)
            self._process.write_plan(self._state)

    @property
    def log(self) -> Path:
        """What it and its predecessors wrote."""
        return self._state.log / f"{self.name}.log"

    @property
    def pid(self) -> int:
        """The pid of the running process, which is the id of its group, too."""
        assert self._popen is not None, f"{self.name} was never started"
        return self._popen.pid

    def start(self) -> None:
        """Start it, and keep it up from now on."""
        self.wanted = True
        arguments = ("-m", "deploy.local.supervision.launch", str(self._state.path), self.name, "--die-with-parent")
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(
                (sys.executable, *arguments), cwd=ROOT, stdout=output, stderr=output, start_new_session=True
            )
        self.starts += 1

    def is_running(self) -> bool:
        """Whether it lives; a frozen one does."""
        return self._popen is not None and self._popen.poll() is None

    def kill(self) -> int:
        """kill -9 the whole group, as a crashed host would; return the pid that died. The supervisor starts another."""
        pid = self.pid
        os.killpg(pid, signal.SIGKILL)
        wait_until(lambda: self._popen is None or self._popen.pid != pid or self._popen.poll() is not None, 5)
        assert not _runs(pid), f"{self.name} ({pid}) survived SIGKILL"
        return pid

    def stop(self) -> float:
        """SIGTERM, and no restart; return the seconds until the process had ended."""
        self.wanted, began = False, time.monotonic()
        if self.is_running():
            assert self._popen is not None
            os.killpg(self.pid, signal.SIGCONT)
            self._popen.terminate()
            try:
                self._popen.wait(self._process.stop_seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return time.monotonic() - began

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs."""
        return self._popen.poll() if self._popen else None

    def freeze(self) -> None:
        """SIGSTOP for the whole group; asserts that each process of it stands still."""
        os.killpg(self.pid, signal.SIGSTOP)
        wait_until(lambda: all(state_of(pid) == "T" for pid in self.family()), 5)

    def thaw(self) -> None:
        """SIGCONT after `freeze`."""
        assert all(state_of(pid) == "T" for pid in self.family()), f"{self.name} was not frozen any more"
        os.killpg(self.pid, signal.SIGCONT)

    def wake(self) -> None:
        """SIGCONT, which harms none that is not frozen."""
        os.killpg(self.pid, signal.SIGCONT)

    def refuse_growth(self) -> None:
        """From now on no file of the group may grow, as on a full disk (RLIMIT_FSIZE, errno EFBIG); a restart lifts it."""
        for pid in self.family():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def family(self) -> list[int]:
        """The pids of the group: gunicorn and its workers, for a web process."""
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _group(pid) == self.pid]

    def resident_bytes(self) -> int:
        """Resident memory of the group."""
        pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.family())
        return sum(pages) * os.sysconf("SC_PAGE_SIZE")

    def text(self, since: int = 0) -> str:
        """The log from a byte on."""
        with self.log.open("rb") as file:
            file.seek(since)
            return file.read().decode(errors="replace")


def state_of(pid: int) -> str:
    """The process state of proc_pid_stat(5): R, S, T, …; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _runs(pid: int) -> bool:
    return state_of(pid) not in ("", "Z", "X")


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0
