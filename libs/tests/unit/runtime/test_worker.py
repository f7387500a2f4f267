"""The worker: its threads, its beat, its end."""

import os
import signal
import threading
import time

import pytest

from libs.runtime import worker
from libs.runtime.health import CheckFailed, latest_status, worker_check
from libs.runtime.worker import EX_SOFTWARE, check_worker, run_worker


class States:
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


def run(*parts):
    states = States()
    return run_worker(parts, states, lambda stop: None), states


def test_sigterm_ends_it_with_success():
    assert run(Loop(), Loop("ender", "end"))[0] == 0


@pytest.mark.parametrize("fault", ["die", "hang"])
def test_a_thread_that_is_dead_or_hangs_ends_the_process_with_an_error(fault):
    status, states = run(Loop(), Loop("broken", fault))
    assert status == EX_SOFTWARE
    (state,) = states.read()
    assert state["parts"] == {"loop": {"pending": 1}, "broken": {"pending": 1}}


def test_nothing_runs_before_the_topics_are_there():
    order, part = [], Loop("ender", "end")
    part.run = lambda stop, run=part.run: (order.append("run"), run(stop))
    run_worker([part], States(), lambda stop: order.append("prepare"))
    assert order == ["prepare", "run"]


def test_a_database_that_is_away_does_not_end_the_worker():
    class Broken(States):
        def write(self, name, state):
            raise ConnectionError

    ender = Loop("ender", "end")
    assert run_worker([ender], Broken(), lambda stop: threading.Event().wait(0.1)) == 0


def test_a_part_that_ended_as_it_was_told_is_not_taken_for_dead():
    ender = Loop("ender", "end")

    class Slow(States):
        def write(self, name, state):
            thread = next(thread for thread in threading.enumerate() if thread.name == "ender")
            thread.join(10)

    assert run_worker([ender], Slow(), lambda stop: threading.Event().wait(0.1)) == 0


def test_the_check_wants_a_fresh_beat_of_this_host():
    states = States()
    assert check_worker(states) == 1
    states.write("w", {"beat": time.time(), "host": os.uname().nodename, "parts": {}})
    assert check_worker(states) == 0
    states.write("w", {"beat": time.time() - 61, "host": os.uname().nodename, "parts": {}})
    assert check_worker(states) == 1


def test_the_newest_beat_is_the_one_that_counts():
    states = States()
    states.write("old", {"beat": time.time() - 600, "host": "a", "parts": {"old": {}}})
    states.write("new", {"beat": time.time(), "host": "b", "parts": {"new": {}}})
    assert worker_check(states)()["parts"] == {"new": {}}
    with pytest.raises(CheckFailed, match="old"):
        latest_status(states, "a")
