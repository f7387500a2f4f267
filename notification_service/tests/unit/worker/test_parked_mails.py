"""Which parked mail is due."""

import time
from dataclasses import replace

import pytest

from notification_service.domain.parked_mail import ParkedMail
from notification_service.worker import parked_mails as module
from notification_service.worker.parked_mails import DueMails


def mail(name, *, due=0, state="later", topic="order-placed"):
    return ParkedMail(
        event_id=name, topic=topic, partition=0, ordering_key=name, sequence=1, since=0, due=due, state=state
    )


class Parked:
    def __init__(self, *mails):
        self.mails = {mail.event_id: mail for mail in mails}

    def heads(self):
        return list(self.mails.values())

    def __contains__(self, event_id):
        return event_id in self.mails


class Mailer:
    refuses_everybody = False


@pytest.fixture
def mailer(monkeypatch):
    monkeypatch.setattr(module, "TURN_SECONDS", 0.0)
    return Mailer()


def make(mailer, *mails, owns=lambda _topic, _partition: True):
    return DueMails(Parked(*mails), mailer, owns)


def take_all(due, now=1.0):
    found = []
    while mail := due.take(now):
        found.append(mail.event_id)
    return found


def later(seconds):
    return time.time_ns() // 1_000_000 + seconds * 1000


def test_the_mail_that_is_due_for_the_longest_time_comes_first(mailer):
    due = make(mailer, mail("b", due=2), mail("a", due=1), mail("c", due=later(60)), mail("d", due=3, state="behind"))
    assert take_all(due) == ["a", "b", "d"]
    assert due.active == 3


def test_a_mail_whose_try_fails_lets_every_other_one_go_first(mailer):
    first, other = mail("a", due=1), mail("b", due=2)
    due = make(mailer, first, other)
    for _ in range(3):
        assert due.take(1.0).event_id == "a"
        due.end(first)
        assert due.take(1.0).event_id == "b"
        time.sleep(0.002)  # times are milliseconds
        due.end(other)
        time.sleep(0.002)


def test_a_mail_of_another_members_partition_is_not_due(mailer):
    due = make(mailer, mail("a"), mail("b", topic="order-shipped"), owns=lambda topic, _: topic == "order-shipped")
    assert take_all(due) == ["b"]


def test_while_the_server_refuses_everybody_one_mail_is_tried_each_five_seconds(mailer):
    mailer.refuses_everybody = True
    one, two = mail("a", due=1), mail("b", due=2)
    due = make(mailer, one, two)
    assert take_all(due, 10.0) == ["a"]
    due._parked.mails["a"] = replace(one, due=later(-1))
    due.end(one)
    assert take_all(due, 14.9) == []
    assert take_all(due, 15.0) == ["b"]


def test_nothing_that_was_found_before_a_rebalance_is_tried_after_it(mailer):
    owned = {"order-placed"}
    due = make(mailer, mail("a"), mail("b"), owns=lambda topic, _: topic in owned)
    assert due.take(1.0)
    owned.clear()
    due.drop()
    assert due.take(2.0) is None
