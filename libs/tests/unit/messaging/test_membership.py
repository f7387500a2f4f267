"""A client that does not rejoin its group ends its process."""

import pytest

from libs.messaging.consumer.membership import REJOIN_SECONDS, Membership, NotRejoined

UP = {"state": "UP", "nodeid": 1}
STUCK = {"state": "wait-broker-transport", "join_state": "init"}
STEADY = {"state": "up", "join_state": "steady"}


def report(seconds, group, broker=UP):
    return {"ts": seconds * 1e6, "cgrp": group, "brokers": {"broker:9092/1": broker}}


def test_a_member_is_never_missing():
    membership = Membership()
    for seconds in (0, 2 * REJOIN_SECONDS):
        membership.read(report(seconds, STEADY))
        membership.check()


def test_a_client_that_stays_without_its_group_is_found_although_a_broker_answers():
    membership = Membership()
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
    membership = Membership()
    membership.read(report(0, STUCK))
    membership.read(between)
    for seconds in (32, 31 + REJOIN_SECONDS):
        membership.read(report(seconds, STUCK))
        membership.check()
