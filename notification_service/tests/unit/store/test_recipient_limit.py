"""The limit of mails to a recipient: it moves with time, it is restored, and its memory is bounded."""

import time

import pytest

from notification_service.store import recipient_limit as module
from notification_service.store.recipient_limit import RecipientLimit


@pytest.fixture
def limit():
    return RecipientLimit(b"key", (2, 60.0))


def test_a_recipient_gets_so_many_mails_within_the_period_and_others_are_not_concerned(limit, monkeypatch):
    assert [limit.take("a", event) for event in "xyz"] == [True, True, False]
    assert limit.take("b", "x")
    assert limit.take("a", "y")  # tried again
    later = time.time() + 61
    monkeypatch.setattr(module.time, "time", lambda: later)
    assert limit.take("a", "z")


def test_mails_of_before_a_restart_count_while_they_are_in_the_period(limit):
    limit.restore("a", "old", time.time() - 61)
    limit.restore("a", "x", time.time() - 10)
    limit.restore("a", "x", time.time() - 10)
    assert [limit.take("a", event) for event in "yz"] == [True, False]


def test_without_a_limit_every_mail_is_sent():
    limit = RecipientLimit(b"key", None)
    limit.restore("a", "old", time.time())
    assert all(limit.take("a", str(number)) for number in range(100))


def test_the_memory_is_bounded(limit, monkeypatch):
    monkeypatch.setattr(module, "MAX_RECIPIENTS", 10)
    for number in range(100):
        limit.take(str(number), "x")
    assert len(limit._mails) == 10


def test_a_key_names_an_address_in_any_case_and_nothing_of_it(limit):
    assert limit.key_of("Ada@Example.com") == limit.key_of("ada@example.com") != limit.key_of("grace@example.com")
    assert limit.key_of("Ada+1@example.com") == limit.key_of("ada+2@example.com") == limit.key_of("ada@example.com")
    assert limit.key_of("ada@xn--bcher-kva.example") != limit.key_of("ada@example.com")
    assert limit.key_of("ada@example.com") != RecipientLimit(b"other", None).key_of("ada@example.com")
    assert "ada" not in limit.key_of("ada@example.com")
