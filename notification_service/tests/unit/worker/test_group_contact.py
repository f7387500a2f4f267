"""The contact with the group's coordinator, and the fence that depends on it."""

import math
import threading
import time

import pytest

from notification_service.domain.failures import Fenced
from notification_service.worker import fence as fence_module
from notification_service.worker import group_contact as module
from notification_service.worker.fence import Fence
from notification_service.worker.group_contact import GroupContact

BEGIN = 1000.0


@pytest.fixture
def clock(monkeypatch):
    clock = {"now": BEGIN, "suspended": 0.0}
    monkeypatch.setattr(module.time, "monotonic", lambda: clock["now"])
    monkeypatch.setattr(module, "_suspended_seconds", lambda: clock["suspended"])
    return clock


def report(at, idle=0.0, state="steady"):
    broker = {"rxidle": int(idle * 1e6)}
    return {"ts": int(at * 1e6), "cgrp": {"join_state": state}, "brokers": {"GroupCoordinator": broker}}


@pytest.fixture
def contact(clock):
    contact = GroupContact()
    contact.forget()
    return contact


def feed(contact, clock, *reports):
    for each in reports:
        contact.read(each)
        clock["now"] = each["ts"] / 1e6


def test_a_contact_counts_when_the_next_report_is_still_steady(contact, clock):
    feed(contact, clock, report(BEGIN + 1, 0.2))
    assert contact.age() == math.inf
    feed(contact, clock, report(BEGIN + 1.5, 0.7))
    assert contact.age() == pytest.approx(0.7, abs=0.01)


@pytest.mark.parametrize("state", ["init", "wait-join", "wait-sync"])
def test_a_member_that_is_not_steady_has_no_contact(contact, clock, state):
    feed(contact, clock, report(BEGIN + 1, 0.2), report(BEGIN + 1.5, 0.1, state), report(BEGIN + 2.0, 0.3, state))
    assert contact.age() == math.inf


def test_an_assignment_alone_is_no_contact(contact, clock):
    clock["now"] = BEGIN + 5
    contact.forget()
    feed(contact, clock, report(BEGIN + 5.1, 0.5), report(BEGIN + 5.6, 1.0))
    assert contact.age() == math.inf


def test_an_answer_that_waited_while_the_process_was_frozen_is_no_contact(contact, clock):
    feed(contact, clock, report(BEGIN + 1, 0.2), report(BEGIN + 1.5, 0.2))
    feed(contact, clock, report(BEGIN + 15, 0.01), report(BEGIN + 15.5, 0.5), report(BEGIN + 16, 1.0))
    assert contact.age() == pytest.approx(15.2, abs=0.01)
    feed(contact, clock, report(BEGIN + 16.5, 0.3), report(BEGIN + 17, 0.8))
    assert contact.age() == pytest.approx(0.8, abs=0.01)


def test_after_the_machine_was_suspended_there_is_no_contact(contact, clock):
    feed(contact, clock, report(BEGIN + 1, 0.2), report(BEGIN + 1.5, 0.2))
    clock["suspended"] = 60.0
    assert contact.age() == math.inf


class Contact:
    """A contact of this age."""

    def __init__(self):
        self.seconds = 1.0

    def age(self):
        return self.seconds

    def forget(self):
        pass


@pytest.fixture
def fence():
    fence = Fence(Contact())
    fence.give([("order-placed", 0)])
    fence.begin()
    return fence


def test_a_mail_of_an_own_partition_passes_while_the_contact_is_young(fence):
    fence.pass_("order-placed", 0)
    fence._contact.seconds = 5.1
    assert not fence.in_contact()
    with pytest.raises(Fenced, match="half a session"):
        fence.pass_("order-placed", 0)
    with pytest.raises(Fenced, match="partition"):
        fence.pass_("order-placed", 1)


def test_a_mail_that_began_before_the_partitions_moved_never_passes(fence):
    fence.take_away()
    with pytest.raises(Fenced):
        fence.pass_("order-placed", 0)
    fence.give([("order-placed", 0)])
    with pytest.raises(Fenced):
        fence.pass_("order-placed", 0)
    assert not fence.is_current("order-placed", 0)
    fence.begin()
    fence.pass_("order-placed", 0)


def test_a_revocation_waits_for_the_mails_past_the_fence_and_for_no_other_one(fence, monkeypatch):
    monkeypatch.setattr(fence_module, "TURN_SECONDS", 0.01)
    beats = []
    assert fence.await_outcomes(5, lambda: None)
    fence.pass_("order-placed", 0)
    assert not fence.await_outcomes(0.05, lambda: beats.append(1))
    assert beats
    waited = threading.Event()

    def wait():
        if fence.await_outcomes(5, lambda: None):
            waited.set()

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0)
    fence.end()
    thread.join()
    assert waited.is_set()
