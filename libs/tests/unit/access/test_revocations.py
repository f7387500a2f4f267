"""Tokens that end before their time."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from libs.access import revocations
from libs.access.caller import caller_from_claims
from libs.access.revocations import Revocation, Revocations
from libs.access.tokens import LEEWAY_SECONDS, AccessTokens
from libs.values import times
from libs.values.errors import NotAuthenticated, Unavailable

NOW = int(time.time() * 1000)
HOUR = 3600
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)  # by the database's clock, which may differ from the host's
ALL = Revocation("u1", None, NOW)
ONE = Revocation("u1", "s1", NOW)


def caller(user_id="u1", sid=None, issued_at=NOW):
    """The caller of a token, by its claims: `iat` is in seconds."""
    claims = {"user_id": user_id, "sub": user_id, "email": "a@example.com", "username": "ann", "roles": []}
    return caller_from_claims(claims | {"sid": sid, "iat": issued_at / 1000, "token_type": "access"})


@pytest.mark.parametrize(
    ("row", "user_id", "sid", "later", "void"),
    [
        (ALL, "u1", None, -1, True),
        (ALL, "u1", "s1", -1, True),
        (ALL, "u1", "s1", 0, False),
        (ALL, "u2", "s1", -1, False),
        (ONE, "u1", "s1", -1, True),
        (ONE, "u1", "s2", -1, False),
        (ONE, "u1", None, -1, False),
    ],
)
def test_what_was_issued_before_the_end_is_void(row, user_id, sid, later, void):
    known = Revocations()
    known.add([row])
    assert known.ended(user_id, sid, NOW + later) is void


def test_milliseconds_survive_the_way_through_a_token():
    known = Revocations()
    for issued_at in range(NOW, NOW + 1000):
        known.add([Revocation(str(issued_at), None, issued_at)])
        known.check(caller(str(issued_at), issued_at=issued_at))
        with pytest.raises(NotAuthenticated):
            known.check(caller(str(issued_at), issued_at=issued_at - 1))


def test_a_token_of_a_session_that_ended_is_refused_and_one_of_the_next_is_not():
    known = Revocations()
    tokens = AccessTokens(SecretStr("s" * 64), "microshop", "microshop", revocations=known)
    person = {"user_id": "u1", "email": "a@example.com", "username": "ann", "roles": []}
    old, new = (tokens.mint(**person, sid=sid, issued_at=NOW) for sid in ("s1", "s2"))
    assert tokens.check(old).sid == "s1"
    known.add([Revocation("u1", "s1", NOW + 1)])
    with pytest.raises(NotAuthenticated):
        tokens.check(old)
    assert tokens.check(new).sid == "s2"


def test_the_latest_end_counts_in_whatever_order_they_come():
    known = Revocations()
    known.add([Revocation("u1", None, NOW), Revocation("u1", None, NOW - 500)])
    assert known.ended("u1", None, NOW - 1)


def test_new_rows_are_read_once_a_second_and_with_an_overlap(monkeypatch):
    clock, asked = [100.0], []
    monkeypatch.setattr(revocations.time, "monotonic", lambda: clock[0])

    def read(since):
        asked.append(since)
        return BEGAN, [ONE] if len(asked) > 1 else []

    known = Revocations(read)
    assert not known.ended("u1", "s1", NOW - 1)
    clock[0] += 0.9
    assert not known.ended("u1", "s1", NOW - 1)
    clock[0] += 0.2
    assert known.ended("u1", "s1", NOW - 1)
    assert len(asked) == 2
    assert asked == [None, BEGAN - timedelta(seconds=30)]


def test_while_one_thread_reads_the_others_go_on_with_what_is_known(monkeypatch):
    clock, reading, go_on = [100.0], threading.Event(), threading.Event()
    monkeypatch.setattr(revocations.time, "monotonic", lambda: clock[0])

    def read(since):
        if threading.current_thread() is not threading.main_thread():
            reading.set()
            assert go_on.wait(10)
        return BEGAN, []

    known = Revocations(read)
    known.check(caller())
    clock[0] += 2
    slow = threading.Thread(target=known.check, args=[caller()])
    slow.start()
    assert reading.wait(10)
    known.check(caller())
    go_on.set()
    slow.join(10)


def test_no_token_is_valid_before_the_first_read(monkeypatch):
    monkeypatch.setattr(revocations, "FIRST_READ_SECONDS", 0.01)
    reading, go_on = threading.Event(), threading.Event()

    def read(since):
        reading.set()
        assert go_on.wait(10)
        return BEGAN, []

    known = Revocations(read)
    slow = threading.Thread(target=known.check, args=[caller()])
    slow.start()
    assert reading.wait(10)
    with pytest.raises(Unavailable):
        known.check(caller())
    go_on.set()
    slow.join(10)


def test_an_unavailable_database_raises_and_is_read_again():
    answers = [ConnectionError(), [ALL]]

    def read(since):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return BEGAN, answer

    known = Revocations(read)
    with pytest.raises(ConnectionError):
        known.check(caller())
    assert known.ended("u1", None, NOW - 1)


def test_rows_are_dropped_when_no_token_can_be_older(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(revocations.time, "monotonic", lambda: clock[0])
    known = Revocations()
    for hour in range(3):
        clock[0] += revocations.MEMORY_SECONDS + 1
        known.add([Revocation(f"u{hour}", None, NOW)])
    assert [key for key in vars(known)["_ends"]] == [key for key in vars(known)["_added_at"]] == [("u2", None)]


@pytest.mark.parametrize("jump", [-HOUR, HOUR, 24 * HOUR])
def test_no_revocation_is_dropped_by_a_jump_of_the_host_s_clock(monkeypatch, jump):
    known = Revocations()
    known.add([ALL])
    monkeypatch.setattr(revocations.time, "time", lambda: NOW / 1000 + jump)
    known._purge()
    assert known.ended("u1", None, NOW - 1)


def test_the_time_is_the_database_s_and_goes_on_between_two_reads(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(revocations.time, "monotonic", lambda: clock[0])
    known = Revocations(lambda since: (BEGAN, []))
    assert known.now() == BEGAN.timestamp()
    clock[0] += 0.5
    assert known.now() == BEGAN.timestamp() + 0.5


def test_without_a_database_the_time_is_the_host_s(monkeypatch):
    monkeypatch.setattr(revocations.time, "time", lambda: 1234.5)
    assert Revocations().now() == 1234.5


def test_after_the_database_s_clock_was_set_back_all_rows_are_read_again(monkeypatch):
    clock, asked, moments = [100.0], [], [BEGAN, BEGAN - timedelta(hours=1), BEGAN - timedelta(hours=1)]
    monkeypatch.setattr(revocations.time, "monotonic", lambda: clock[0])

    def read(since):
        asked.append(since)
        began = moments[len(asked) - 1]
        return began, [ALL] if since is None and len(asked) > 1 else []

    known = Revocations(read)
    assert not known.ended("u1", None, NOW - 1)
    clock[0] += 2
    assert known.ended("u1", None, NOW - 1)
    assert asked == [None, BEGAN - timedelta(seconds=30), None]


@pytest.mark.parametrize("skew", [-HOUR, -300, 300, HOUR])
def test_a_token_lives_by_the_database_s_clock_whatever_the_host_s_says(monkeypatch, skew):
    clock, right = [100.0], NOW // 1000
    monkeypatch.setattr(revocations.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(revocations.time, "time", lambda: right + skew)
    monkeypatch.setattr(times.time, "time_ns", lambda: (right + skew) * 10**9)
    moment = datetime.fromtimestamp(right, UTC)
    tokens = AccessTokens(
        SecretStr("s" * 64),
        "microshop",
        "microshop",
        60,
        Revocations(lambda since: (moment + timedelta(seconds=clock[0] - 100), [])),
    )
    person = {"user_id": "u1", "email": "a@example.com", "username": "ann", "roles": []}
    token, early = (tokens.mint(**person, issued_at=(right + later) * 1000) for later in (0, LEEWAY_SECONDS + 2))
    assert tokens.check(token).user_id == "u1"
    with pytest.raises(NotAuthenticated):
        tokens.check(early)
    clock[0] += 60 + LEEWAY_SECONDS - 1
    assert tokens.check(token).user_id == "u1"
    clock[0] += 2
    with pytest.raises(NotAuthenticated):
        tokens.check(token)
    with pytest.raises(NotAuthenticated):  # one that no cache knows
        tokens.check(tokens.mint(**person, issued_at=right * 1000))


def test_no_token_is_valid_before_the_owner_has_passed_all_revocations():
    known = Revocations(is_empty=False)
    known.add([ALL])
    for ask in (known.now, lambda: known.check(caller(issued_at=NOW)), lambda: known.ended("u2", None, NOW)):
        with pytest.raises(Unavailable):
            ask()
    known.know_all()
    known.check(caller(issued_at=NOW))
    assert known.ended("u1", None, NOW - 1)
