"""The breaker for calls to other services."""

import pytest

from libs.runtime.call_breaker import FAILURES, REST_SECONDS, CallBreaker


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def broken(clock):
    breaker = CallBreaker(clock)
    for _ in range(FAILURES):
        assert breaker.allows()
        breaker.report(success=False)
    return breaker


def test_after_failures_in_a_row_no_call_is_made_for_a_while(clock, broken):
    assert not broken.allows()
    clock.now += REST_SECONDS - 0.001
    assert not broken.allows()


def test_then_one_call_is_let_through_and_decides(clock, broken):
    clock.now += REST_SECONDS
    assert [broken.allows(), broken.allows()] == [True, False]
    broken.report(success=True)
    assert [broken.allows(), broken.allows()] == [True, True]


def test_a_further_failure_starts_the_rest_again(clock, broken):
    clock.now += REST_SECONDS
    assert broken.allows()
    clock.now += 1
    broken.report(success=False)
    clock.now += REST_SECONDS - 0.001
    assert not broken.allows()
    clock.now += 0.001
    assert broken.allows()


def test_a_call_whose_outcome_is_lost_does_not_close_it_for_good(clock, broken):
    clock.now += REST_SECONDS
    assert broken.allows()
    clock.now += REST_SECONDS
    assert broken.allows()


def test_a_success_between_failures_counts_from_the_beginning(clock):
    breaker = CallBreaker(clock)
    for success in [False] * (FAILURES - 1) + [True] + [False] * (FAILURES - 1):
        breaker.report(success=success)
    assert breaker.allows()
