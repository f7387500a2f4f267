"""The breaker, on a clock of the test's own."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import REGISTRY

from libs.runtime.telemetry.database_waits import DatabaseWaits
from libs.values.errors import Unavailable
from libs.web import circuit_breaker as module
from libs.web.circuit_breaker import FAILURES, HANG_SECONDS, PROBE_SECONDS, REST_SECONDS, CircuitBreaker


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

    monkeypatch.setattr(module.time, "monotonic", lambda: Clock.now)
    return Clock


def hang(breaker, times, monkeypatch, waits=True):
    for thread in range(times):
        monkeypatch.setattr(module.threading, "get_ident", lambda thread=thread: thread)
        breaker.enter()
        if waits:
            breaker._waits.begin()
    monkeypatch.setattr(module.threading, "get_ident", lambda: "me")


def fail(breaker, times):
    for _ in range(times):
        breaker.failed()


def test_two_failures_are_no_outage(clock):
    breaker = CircuitBreaker(DatabaseWaits())
    fail(breaker, FAILURES - 1)
    breaker.enter()


def test_after_three_in_a_row_everything_is_refused_for_a_while(clock):
    breaker = CircuitBreaker(DatabaseWaits())
    fail(breaker, FAILURES)
    clock.now += REST_SECONDS - 0.1
    with pytest.raises(Unavailable):
        breaker.enter()


def test_a_success_in_between_starts_the_count_again(clock):
    breaker = CircuitBreaker(DatabaseWaits())
    fail(breaker, FAILURES - 1)
    breaker.succeeded()
    fail(breaker, FAILURES - 1)
    breaker.enter()


def test_after_the_rest_one_request_at_a_time_tries_the_server(clock):
    breaker = CircuitBreaker(DatabaseWaits())
    fail(breaker, FAILURES)
    clock.now += REST_SECONDS
    breaker.enter()
    with pytest.raises(Unavailable):
        breaker.enter()
    breaker.failed()
    with pytest.raises(Unavailable):
        breaker.enter()


def test_when_the_server_is_back_everybody_may_come_in(clock):
    breaker = CircuitBreaker(DatabaseWaits())
    fail(breaker, FAILURES)
    clock.now += REST_SECONDS
    breaker.enter()
    breaker.succeeded()
    for _ in range(10):
        breaker.enter()


def test_when_three_hang_for_a_second_the_next_is_refused_before_any_has_failed(clock, monkeypatch):
    breaker = CircuitBreaker(DatabaseWaits())
    hang(breaker, FAILURES, monkeypatch)
    breaker.enter()
    breaker.leave()
    clock.now += HANG_SECONDS + 0.1
    with pytest.raises(Unavailable):
        breaker.enter()


def test_slow_requests_are_no_outage_while_others_work(clock, monkeypatch):
    breaker = CircuitBreaker(DatabaseWaits())
    hang(breaker, FAILURES, monkeypatch)
    clock.now += HANG_SECONDS + 0.1
    breaker.succeeded()
    breaker.enter()


def test_a_request_that_is_over_hangs_no_more(clock, monkeypatch):
    breaker = CircuitBreaker(DatabaseWaits())
    hang(breaker, FAILURES - 1, monkeypatch)
    breaker.enter()
    breaker.leave()
    clock.now += HANG_SECONDS + 0.1
    breaker.enter()


def test_requests_that_wait_for_no_database_are_no_outage(clock, monkeypatch):
    breaker = CircuitBreaker(DatabaseWaits())
    hang(breaker, 10, monkeypatch, waits=False)
    clock.now += 100
    breaker.enter()


def test_a_request_waits_for_the_database_only_since_its_last_operation(clock, monkeypatch):
    breaker = CircuitBreaker(DatabaseWaits())
    hang(breaker, FAILURES, monkeypatch, waits=False)
    clock.now += 100
    for thread in range(FAILURES):
        monkeypatch.setattr(module.threading, "get_ident", lambda thread=thread: thread)
        breaker._waits.begin()
    monkeypatch.setattr(module.threading, "get_ident", lambda: "me")
    breaker.enter()
    breaker.leave()
    clock.now += HANG_SECONDS + 0.1
    with pytest.raises(Unavailable):
        breaker.enter()


def test_without_a_server_every_request_waits(clock, monkeypatch):
    breaker = CircuitBreaker(DatabaseWaits())
    hang(breaker, FAILURES, monkeypatch, waits=False)
    breaker._waits.set_reachable(False)
    breaker._waits.set_reachable(False)
    clock.now += HANG_SECONDS + 0.1
    with pytest.raises(Unavailable):
        breaker.enter()
    breaker._waits.set_reachable(True)
    breaker.enter()


def test_requests_that_hang_for_ever_do_not_keep_it_open_for_ever(clock, monkeypatch):
    breaker = CircuitBreaker(DatabaseWaits())
    hang(breaker, FAILURES, monkeypatch)
    clock.now += HANG_SECONDS + 0.1
    with pytest.raises(Unavailable):
        breaker.enter()
    clock.now += PROBE_SECONDS - 0.1
    with pytest.raises(Unavailable):
        breaker.enter()
    clock.now += 0.1
    breaker.enter()
    breaker.leave()
    with pytest.raises(Unavailable):
        breaker.enter()
    breaker.succeeded()
    for _ in range(5):
        breaker.enter()
        breaker.leave()


def test_one_request_at_a_time_tries_the_server(clock, monkeypatch):
    breaker = CircuitBreaker(DatabaseWaits())
    fail(breaker, FAILURES)
    clock.now += REST_SECONDS
    hang(breaker, 1, monkeypatch)
    for _ in range(3):
        clock.now += REST_SECONDS
        with pytest.raises(Unavailable):
            breaker.enter()
    clock.now += PROBE_SECONDS
    breaker.enter()


def test_requests_may_come_and_go_in_many_threads():
    breaker = CircuitBreaker(DatabaseWaits())
    breaker._in_flight |= dict.fromkeys(range(-500, 0), time.monotonic())  # many, for a long look at them

    def visit(_):
        for _ in range(200):
            breaker.enter()
            breaker.leave()

    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(visit, range(8))) == [None] * 8
    finally:
        sys.setswitchinterval(usual)


def test_the_metric_says_whether_it_is_open(clock):
    breaker = CircuitBreaker()
    for _ in range(FAILURES):
        breaker.failed()
    with pytest.raises(Unavailable):
        breaker.enter()
    assert REGISTRY.get_sample_value("breaker_open") == 1.0
    clock.now += REST_SECONDS
    breaker.enter()
    breaker.leave()
    breaker.succeeded()
    assert REGISTRY.get_sample_value("breaker_open") == 0.0
