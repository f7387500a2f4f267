"""The worker: its threads, its heartbeat, its end."""

import os
import signal
import threading
import time

import pytest

from libs.runtime import worker
from libs.runtime.health import CheckFailed, latest_status, worker_check
from libs.runtime.worker import EX_SOFTWARE, check_worker, run_worker


class Store:
    def __init__(self):
        self.kept = {}

    def write(self, name, state):
        self.kept[name] = state

    def read(self):
        return list(self.kept.values())


class Loop:
    """Runs until stopped, dies, or hangs."""

    def __init__(self, name="loop", does=None):
        self.name, self.heartbeat, self._does = name, time.monotonic(), does

    def run(self, stop):
        while not stop.wait(0.01):
            self.heartbeat = time.monotonic()
            if self._does == "die":
                raise RuntimeError("dead")
            if self._does == "hang":
                self.heartbeat = time.monotonic() - 3600
            if self._does == "end":
                os.kill(os.getpid(), signal.SIGTERM)

    def status(self):
        return {"pending": 1}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setattr(worker, "WRITE_SECONDS", 0.02)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def run(*tasks):
    store = Store()
    return run_worker(tasks, store, lambda stop: None), store


def test_sigterm_ends_it_with_success():
    assert run(Loop(), Loop("ender", "end"))[0] == 0


@pytest.mark.parametrize("fault", ["die", "hang"])
def test_a_thread_that_is_dead_or_hangs_ends_the_process_with_an_error(fault):
    status, store = run(Loop(), Loop("broken", fault))
    assert status == EX_SOFTWARE
    (state,) = store.read()
    assert state["parts"] == {"loop": {"pending": 1}, "broken": {"pending": 1}}


def test_no_task_runs_before_it_is_prepared():
    order, task = [], Loop("ender", "end")
    task.run = lambda stop, run=task.run: (order.append("run"), run(stop))
    run_worker([task], Store(), lambda stop: order.append("prepare"))
    assert order == ["prepare", "run"]


def test_an_unavailable_database_does_not_end_the_worker():
    class Broken(Store):
        def write(self, name, state):
            raise ConnectionError

    ender = Loop("ender", "end")
    assert run_worker([ender], Broken(), lambda stop: threading.Event().wait(0.1)) == 0


def test_a_task_that_ended_by_the_signal_has_not_died():
    ender = Loop("ender", "end")

    class Slow(Store):
        def write(self, name, state):
            thread = next(thread for thread in threading.enumerate() if thread.name == "ender")
            thread.join(10)

    assert run_worker([ender], Slow(), lambda stop: threading.Event().wait(0.1)) == 0


def test_the_check_requires_a_fresh_heartbeat_of_this_host():
    store = Store()
    assert check_worker(store) == 1
    store.write("w", {"beat": time.time(), "host": os.uname().nodename, "parts": {}})
    assert check_worker(store) == 0
    store.write("w", {"beat": time.time() - 61, "host": os.uname().nodename, "parts": {}})
    assert check_worker(store) == 1


def test_the_newest_heartbeat_counts():
    store = Store()
    store.write("old", {"beat": time.time() - 600, "host": "a", "parts": {"old": {}}})
    store.write("new", {"beat": time.time(), "host": "b", "parts": {"new": {}}})
    assert worker_check(store)()["parts"] == {"new": {}}
    with pytest.raises(CheckFailed, match="old"):
        latest_status(store, "a")
