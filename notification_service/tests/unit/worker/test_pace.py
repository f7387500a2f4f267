"""The pace: one mail at a time while a server is unavailable, and fewer sessions when the server refuses one more."""

import pytest

from notification_service.worker import pace as module
from notification_service.worker.pace import Pace


@pytest.fixture
def clock(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(module.random, "uniform", lambda _low, high: high)
    return clock


@pytest.mark.usefixtures("clock")
def test_the_pauses_double_up_to_thirty_seconds():
    pace = Pace(4)
    assert [pace.fail("no") for _ in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert (pace.failures, pace.reason) == (8, "no")


def test_one_mail_is_tried_after_each_pause_and_all_go_on_after_a_success(clock):
    pace = Pace(4)
    assert pace.limit(clock[0]) == 4
    pace.fail("no")
    assert (pace.limit(100.5), pace.limit(101.0)) == (0, 1)
    pace.succeed()
    assert (pace.limit(100.5), pace.reason) == (4, "")


def test_a_refused_session_costs_one_permit_for_five_minutes_and_never_the_last_one(clock):
    pace = Pace(3)
    pace.refuse_session()
    assert pace.limit(clock[0]) == 2
    for _ in range(9):
        pace.refuse_session()
    assert pace.limit(clock[0]) == 1
    assert pace.limit(clock[0] + 300) == 3
