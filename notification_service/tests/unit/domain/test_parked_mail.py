"""Parked mails: how often each is tried, and after which pauses."""

import pytest

from notification_service.domain import parked_mail as module
from notification_service.domain.parked_mail import ParkedMail, RetryPolicy

MINUTE, HOUR = 60.0, 3600.0
POLICY = RetryPolicy(
    pauses=(MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR),
    total_seconds=24 * HOUR,
    doubt_pauses=(120.0, 1200.0),
    answer_seconds=600.0,
)
MAIL = ParkedMail(
    event_id="01K00000000000000000000000",
    topic="order-placed",
    partition=0,
    ordering_key="a",
    sequence=1,
    since=1_000_000,
    due=1_000_000,
)


@pytest.fixture
def exact(monkeypatch):
    monkeypatch.setattr(module, "vary", lambda seconds: seconds)


def tries(policy, mail=MAIL):
    """The pause after each put-off, until the mail is given up."""
    pauses = []
    while later := mail.put_off(policy, "deferred", 0):
        mail = later
        pauses.append(mail.due / 1000)
    return pauses


def test_a_mail_is_tried_28_times_with_growing_pauses_whose_sum_is_at_most_24_hours(exact):
    pauses = tries(POLICY)
    assert pauses[:6] == [60, 300, 900, 1800, 3600, 3600]
    assert set(pauses[4:]) == {3600}
    assert (len(pauses), sum(pauses)) == (27, 51 * 60 + 23 * 3600)  # and the first try


def test_the_pauses_differ_by_ten_per_cent():
    pauses = [MAIL.put_off(POLICY, "deferred", 0).due / 1000 for _ in range(200)]
    assert 54 <= min(pauses) < 57 < 63 < max(pauses) <= 66


def test_a_try_that_a_server_refused_that_refuses_everybody_does_not_count(exact):
    mail = MAIL.put_off(POLICY, "deferred", 0).stand_still("deferred", 5)
    assert (mail.tries, mail.due, mail.state) == (1, 5, "later")


def test_a_mail_in_doubt_is_repeated_twice():
    first = MAIL.in_doubt(POLICY, "closed", 0)
    second = first.in_doubt(POLICY, "closed", 0)
    assert (first.due, second.due, second.doubts) == (120_000, 1_200_000, 2)
    assert second.in_doubt(POLICY, "closed", 0) is None


def test_a_mail_without_an_answer_is_due_after_the_answer_can_no_longer_come():
    first = MAIL.awaiting_answer(POLICY, 0)
    second = first.awaiting_answer(POLICY, 0)
    third = second.awaiting_answer(POLICY, 0)
    assert [mail.due for mail in (first, second, third)] == [720_000, 1_800_000, 600_000]
    assert [mail.is_exhausted(POLICY) for mail in (first, second, third)] == [False, False, True]


def test_without_hours_a_mail_is_not_tried_again():
    assert (
        MAIL.put_off(RetryPolicy(pauses=(60.0,), total_seconds=0, doubt_pauses=(), answer_seconds=1), "no", 0) is None
    )
