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
        self.kept, self.ahead = {}, 0.0

    def now(self):
        return time.time() + self.ahead

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


def checked(store):
    with pytest.raises(CheckFailed) as failed:
        worker_check(store)()
    return str(failed.value)


def test_a_heartbeat_from_the_future_is_a_failure():
    store = Store()
    store.write("w", {"beat": time.time() + 30, "host": "a", "parts": {}})
    assert "30 s in the future" in checked(store)
    assert check_worker(store) == 1 or os.uname().nodename != "a"


@pytest.mark.parametrize(("skew", "words"), [(300, "300 s ahead of"), (-300, "300 s behind")])
def test_a_wrong_clock_of_the_worker_is_shown_in_words(skew, words):
    store = Store()
    store.write("w", {"beat": time.time(), "host": "a", "parts": {}, "clock": {"skewSeconds": skew}})
    assert checked(store) == f"the clock of the worker is {words} its database's"


def test_a_wrong_clock_of_the_web_process_is_shown_in_words():
    store = Store()
    store.ahead = -300.0
    store.write("w", {"beat": store.now(), "host": "a", "parts": {}})
    assert checked(store) == "the clock of this process is 300 s ahead of its database's"


def test_the_heartbeat_is_by_the_databases_clock_and_the_skew_is_written():
    store = Store()
    store.ahead = 300.0
    run_worker([Loop("ender", "end"), Loop()], store, lambda stop: None)
    for state in store.read():
        assert abs(state["beat"] - store.now()) < 60
        assert state["clock"] == {"skewSeconds": pytest.approx(-300, abs=1)}


def test_a_consumer_without_broker_or_partition_is_a_problem_after_a_minute(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(worker.time, "monotonic", lambda: clock[0])
    watch = worker.ConsumerWatch()
    deaf = {"stock": {"broker": True, "assigned": 0}, "relay": {"pending": 1}}
    well = {"stock": {"broker": True, "assigned": 3}}
    assert watch.problems(deaf) == []
    clock[0] += 59
    assert watch.problems(deaf) == []
    clock[0] += 1
    assert watch.problems(deaf) == ["stock: no partition is assigned"]
    assert watch.problems(well) == []
    assert watch.problems(deaf) == []


def test_the_problem_of_a_task_and_of_the_worker_are_shown():
    store = Store()
    parts = {"asking": {"problem": "an order has been pending for 2000 s"}, "relay": {}}
    store.write("w", {"beat": time.time(), "host": "a", "parts": parts, "problems": ["stock: no Kafka broker answers"]})
    assert checked(store) == "stock: no Kafka broker answers; asking: an order has been pending for 2000 s"
