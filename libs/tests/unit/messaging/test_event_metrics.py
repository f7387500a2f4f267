"""How long a member of a group has been behind."""

import pytest
from prometheus_client import REGISTRY

from libs.messaging import event_metrics as module
from libs.messaging.event_metrics import LagClock, unfetched


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

    monkeypatch.setattr(module.time, "monotonic", lambda: Clock.now)
    monkeypatch.setattr(module.time, "time", lambda: Clock.now)
    return Clock


def test_without_a_lag_it_is_0(clock):
    lag = LagClock()
    lag.note(0)
    clock.now += 60
    assert lag.seconds(None) == 0.0


def test_it_is_the_age_of_the_oldest_fetched_event(clock):
    lag = LagClock()
    assert lag.seconds(990_000) == 10.0
    assert lag.seconds(1_005_000) == 0.0  # the clock of its producer is ahead


def test_while_nothing_is_fetched_it_is_the_time_since_there_was_no_lag(clock):
    lag = LagClock()
    for events in (0, 5, 3):
        clock.now += 10
        lag.note(events)
    clock.now += 10
    assert lag.seconds(None) == 20.0
    lag.note(0)
    lag.note(1)
    assert lag.seconds(None) == 0.0


@pytest.mark.parametrize(
    ("app_offset", "hi_offset", "consumer_lag", "waiting"),
    [
        (7, 7, 1, 0),  # done and not committed yet
        (5, 7, 3, 2),
        (-1001, 7, 3, 3),  # nothing was fetched yet
        (-1001, -1001, -1, 0),  # nothing is known yet
        (7, -1001, -1, 0),
    ],
)
def test_only_events_that_are_not_fetched_count(app_offset, hi_offset, consumer_lag, waiting):
    found = unfetched({"app_offset": app_offset, "hi_offset": hi_offset, "consumer_lag": consumer_lag})
    assert found == waiting


def test_the_counters_of_a_topic_begin_at_0():
    module.declare(["never-seen"])
    outcomes = [
        ("consumer_handled_total", {}),
        ("consumer_retries_total", {"reason": "unavailable"}),
        ("consumer_retries_total", {"reason": "failed"}),
        ("consumer_dead_letters_total", {"reason": "malformed"}),
        ("consumer_dead_letters_total", {"reason": "refused"}),
        ("consumer_dead_letters_total", {"reason": "failed"}),
    ]
    for name, labels in outcomes:
        assert REGISTRY.get_sample_value(name, {"topic": "never-seen", **labels}) == 0.0
