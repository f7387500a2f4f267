"""Steps: a thread says when its present step has to be over, and a watchdog finds the one that is overdue."""

import threading

from libs.runtime import steps as module
from libs.runtime.steps import Steps


def test_a_step_is_overdue_ten_seconds_after_its_end_and_not_before(monkeypatch):
    steps, now = Steps(), [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    steps.begin("send a mail", 15)
    now[0] = 124.9
    assert steps.overdue() is None
    now[0] = 125.1
    assert steps.overdue() == "send a mail"
    steps.end()
    assert steps.overdue() is None


def test_a_step_within_another_one_replaces_it_for_its_time(monkeypatch):
    steps, now = Steps(), [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    steps.begin("send a mail", 15)
    with steps.step("wait for an answer", 600):
        now[0] = 500.0
        assert steps.overdue() is None
    assert steps.overdue() == "send a mail"


def test_each_thread_has_its_own_step(monkeypatch):
    steps = Steps()
    monkeypatch.setattr(module, "MARGIN_SECONDS", 0.0)
    thread = threading.Thread(target=steps.begin, args=["hang", -1.0])
    thread.start()
    thread.join()
    steps.begin("send a mail", 15)
    steps.end()
    assert steps.overdue() == "hang"
