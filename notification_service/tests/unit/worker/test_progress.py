"""Progress: the lag of the assigned partitions, and those that stand still."""

import pytest

from notification_service.worker import progress as module
from notification_service.worker.progress import Progress

A, B = ("order-placed", 0), ("order-placed", 1)


@pytest.fixture
def clock(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    return clock


def report(**ends):
    parts = {number: {"partition": int(number[1:]), "hi_offset": end, "lo_offset": 0} for number, end in ends.items()}
    return {"topics": {"order-placed": {"partitions": parts}}}


def test_the_lag_is_what_is_not_done_of_the_assigned_partitions(clock):
    progress = Progress()
    progress.begin({A: 5, B: -1001})
    progress.read(report(p0=9, p1=3, p2=50), {A, B})
    assert progress.lag == 4 + 3
    progress.move({A: 9, B: 1})
    assert progress.lag == 2


def test_a_partition_that_has_events_and_does_not_move_for_two_minutes_is_stalled(clock):
    progress = Progress()
    progress.begin({A: 5, B: 5})
    progress.read(report(p0=9, p1=5), {A, B})
    clock[0] += 119
    progress.read(report(p0=9, p1=5), {A, B})
    assert progress.stalled() == []
    clock[0] += 2
    progress.read(report(p0=9, p1=9), {A, B})
    assert progress.stalled() == ["order-placed/0"]
    progress.move({A: 6})
    assert progress.stalled() == []
