"""The periodic loop: when it works, what it shows, and what it survives."""

import threading
import time

import pytest
from structlog.testing import capture_logs

from libs.runtime import periodic
from libs.runtime.periodic import PeriodicTask


def is_away(error):
    return isinstance(error, ConnectionError)


class Work:
    """Returns or raises each of `results` once. The last one stops the task."""

    def __init__(self, *results):
        self.results, self.stop, self.calls = list(results), threading.Event(), 0

    def __call__(self):
        self.calls += 1
        result = self.results.pop(0)
        if not self.results:
            self.stop.set()
        if isinstance(result, Exception):
            raise result
        return result


def run(work, **options):
    options = {"seconds": 0.001, "is_temporary": is_away} | options
    task = PeriodicTask("retention", work, **options)
    thread = threading.Thread(target=task.run, args=[work.stop])
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    return task


def test_the_status_holds_the_sums_since_the_start():
    task = run(Work({"rows": 2}, {"rows": 3}), counts=["rows", "tokens"])
    assert task.status() == {"rows": 5, "tokens": 0}


def test_the_status_callback_adds_values():
    task = run(Work({"rows": 1}), counts=["rows"], status=lambda: {"ready": True})
    assert task.status() == {"ready": True, "rows": 1}


def test_the_work_waits_for_its_next_time(monkeypatch):
    monkeypatch.setattr(periodic, "HEARTBEAT_SECONDS", 0.001)
    work = Work({}, {})
    task = PeriodicTask("retention", work, seconds=3600, is_temporary=is_away)
    thread = threading.Thread(target=task.run, args=[work.stop], daemon=True)
    thread.start()
    first, deadline = task.heartbeat, time.monotonic() + 10
    while task.heartbeat < first + 0.05:
        assert time.monotonic() < deadline
    assert work.calls == 1
    work.stop.set()
    thread.join(10)


@pytest.mark.parametrize("result", [{"rows": 500}, ConnectionError()])
def test_a_full_batch_or_an_unavailable_server_brings_the_next_run_forward(monkeypatch, result):
    monkeypatch.setattr(periodic, "HEARTBEAT_SECONDS", 0.001)
    work = Work(result, {"rows": 0})
    run(work, seconds=3600, batch=500)
    assert work.calls == 2


def test_after_a_full_batch_the_task_rests_in_proportion_to_its_work(monkeypatch):
    monkeypatch.setattr(periodic, "HEARTBEAT_SECONDS", 3600)
    work = Work({"rows": 500}, {"rows": 500}, {"rows": 0})
    run(work, seconds=3600, batch=500)
    assert work.calls == 3


def test_an_unavailable_server_is_logged_with_its_reason():
    with capture_logs() as logs:
        run(Work(ConnectionError()))
    assert logs == [
        {
            "event": "server unavailable, task postponed",
            "log_level": "warning",
            "task": "retention",
            "reason": "ConnectionError",
        }
    ]


def test_another_error_ends_the_task():
    work = Work(KeyError("bug"))
    with pytest.raises(KeyError):
        PeriodicTask("retention", work, seconds=1, is_temporary=is_away).run(threading.Event())
