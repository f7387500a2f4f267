"""A client that does not rejoin its group ends its process."""

import pytest

from libs.messaging.consumer.membership import (
    QUESTION_SECONDS,
    RECONNECT_SECONDS,
    REJOIN_SECONDS,
    Membership,
    NotRejoined,
)

UP = {"state": "UP", "nodeid": 1}
STUCK = {"state": "wait-broker-transport", "join_state": "init"}
STEADY = {"state": "up", "join_state": "steady"}


CUT_OFF = {"state": "query-coord", "join_state": "init"}
DOWN = {"state": "INIT", "nodeid": 1}


def report(seconds, group, broker=UP):
    return {"ts": seconds * 1e6, "cgrp": group, "brokers": {"broker:9092/1": broker}}


def no_answer():
    return False


def test_a_member_is_never_missing():
    membership = Membership(no_answer)
    for seconds in (0, 2 * REJOIN_SECONDS):
        membership.read(report(seconds, STEADY))
        membership.check()


def test_a_client_that_stays_without_its_group_is_found_although_a_broker_answers():
    membership = Membership(no_answer)
    membership.read(report(0, STUCK))
    membership.read(report(REJOIN_SECONDS, STUCK))
    membership.check()
    membership.read(report(REJOIN_SECONDS + 2, STUCK))
    with pytest.raises(NotRejoined, match="42 s"):
        membership.check()


@pytest.mark.parametrize(
    "between",
    [
        report(30, STEADY),
        report(30, STUCK, UP | {"state": "CONNECT"}),
        report(30, STUCK, {"state": "UP", "nodeid": -1}),
    ],
)
def test_a_rebalance_or_an_unavailable_broker_begins_the_time_anew(between):
    membership = Membership(no_answer)
    membership.read(report(0, STUCK))
    membership.read(between)
    for seconds in (32, 31 + REJOIN_SECONDS):
        membership.read(report(seconds, STUCK))
        membership.check()


def check_each(membership, reports):
    for each in reports:
        membership.read(each)
        membership.check()


def test_a_client_without_a_connection_is_found_when_another_one_gets_an_answer():
    membership = Membership(lambda: True)
    check_each(membership, (report(seconds, CUT_OFF, DOWN) for seconds in range(10, 31, 2)))
    membership.read(report(10 + RECONNECT_SECONDS + 2, CUT_OFF, DOWN))
    with pytest.raises(NotRejoined, match="not a member of the group: no connection for 22 s"):
        membership.check()


def test_a_client_without_a_connection_waits_for_as_long_as_no_broker_answers():
    asked = []
    membership = Membership(lambda: asked.append(1))
    check_each(membership, (report(seconds, CUT_OFF, DOWN) for seconds in range(10, 1010)))
    assert len(asked) == 1000 / QUESTION_SECONDS


@pytest.mark.parametrize("between", [report(20, STEADY, DOWN), report(20, CUT_OFF, UP)])
def test_a_connection_or_the_group_begins_the_time_anew(between):
    membership = Membership(lambda: True)
    reports = [report(seconds, CUT_OFF, DOWN) for seconds in (10, 15, 22, 28, 34, 40)]
    check_each(membership, [*reports[:2], between, *reports[2:]])


def test_an_answer_that_is_not_repeated_does_not_count():
    answers = iter([True, False, True, True])
    membership = Membership(lambda: next(answers))
    check_each(membership, (report(seconds, CUT_OFF, DOWN) for seconds in (10, 18, 26, 34)))


def test_no_question_is_asked_for_a_client_that_has_a_connection_or_its_group():
    membership = Membership(lambda: pytest.fail("asked"))
    check_each(membership, [report(10, STEADY, DOWN), report(20, STUCK)])
