"""A pid file alone proves nothing: the process must be one that was started for this directory."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.errors import NotReady
from deploy.local.ports import is_free, is_open
from deploy.local.state import ROOT, State
from deploy.local.supervision.process import Process, end, find_ours, is_ours, pid_path, read_pid
from deploy.local.supervision.waiting import until_ready
from tests.free_ports import pick_free

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
EXIT = {"x86_64": 60, "aarch64": 93}[platform.machine()]
"""The number of the system call that ends a thread."""
LINGER = f"""
import ctypes, os, signal, socket, sys, threading, time
server, told = socket.create_server(("127.0.0.1", int(sys.argv[1]))), threading.Event()
def stop(*_):
    told.set()
    ctypes.CDLL(None).syscall({EXIT}, 0)
signal.signal(signal.SIGTERM, stop)
threading.Thread(target=lambda: (told.wait(), time.sleep(1), os._exit(0))).start()
time.sleep(60)
"""
"""Listens on a port. When it is stopped, its first thread ends, and another one a second later."""


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path)
    state.make()
    return state


@contextmanager
def launched(state: State, name: str, argv: tuple[str, ...] = SLEEP) -> Iterator[int]:
    """A process started as the supervisor does; yields its pid once it is the program."""
    Process(name, argv).write_plan(state)
    command = [sys.executable, "-m", "deploy.local.supervision.launch", str(state.path), name]
    child = subprocess.Popen(command, cwd=ROOT, start_new_session=True)

    def check() -> None:
        if read_pid(state, name) != child.pid:
            raise NotReady(f"{name} is not there yet")

    try:
        until_ready(check, 10)
        yield child.pid
    finally:
        child.kill()
        child.wait()


def test_the_pid_file_holds_the_pid_of_the_program_itself(state: State) -> None:
    with launched(state, "sleeper") as pid:
        assert read_pid(state, "sleeper") == pid
        assert "time.sleep" in Path(f"/proc/{pid}/cmdline").read_text()
        assert find_ours(state) == [pid]


def test_a_dead_process_has_no_pid(state: State) -> None:
    with launched(state, "sleeper"):
        pass
    assert read_pid(state, "sleeper") is None


def test_a_pid_that_belongs_to_a_stranger_is_not_ours(state: State) -> None:
    pid_path(state, "mysql").write_text(str(os.getppid()))
    assert read_pid(state, "mysql") is None


@pytest.mark.parametrize("text", ["", "x", "999999999"])
def test_a_broken_pid_file_is_no_process(state: State, text: str) -> None:
    pid_path(state, "mysql").write_text(text)
    assert read_pid(state, "mysql") is None


def test_a_stranger_is_never_ended(state: State) -> None:
    stranger = subprocess.Popen(SLEEP)
    try:
        end(state, [stranger.pid], seconds=0.1)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_another_stack_of_the_same_machine_is_a_stranger(state: State, tmp_path: Path) -> None:
    other = State(tmp_path / "other")
    other.make()
    with launched(other, "sleeper") as pid:
        assert is_ours(other, pid)
        assert not is_ours(state, pid)


def test_a_new_start_ends_what_a_killed_predecessor_left_in_its_group(state: State) -> None:
    script = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); time.sleep(60)"

    def check_child() -> None:
        if len(find_ours(state)) < 2:
            raise NotReady("the child is not there yet")

    with launched(state, "parent", (sys.executable, "-c", script)):
        until_ready(check_child, 10)
    (orphan,) = find_ours(state)
    with launched(state, "parent") as pid:
        assert not is_ours(state, orphan)
        assert find_ours(state) == [pid]


def test_a_process_has_ended_when_its_last_thread_has(state: State) -> None:
    (port,) = pick_free(1)
    with launched(state, "lingering", (sys.executable, "-c", LINGER, str(port))) as pid:
        until_ready(lambda: listening(port), 20)
        end(state, [pid], 20)
        assert is_free(port)


def listening(port: int) -> None:
    if not is_open(port):
        raise NotReady(f"nothing listens on {port}")
