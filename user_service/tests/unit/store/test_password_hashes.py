"""Password hashes."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from nacl.pwhash import argon2id

from libs.values.errors import ErrorKind
from user_service.domain.errors import TooManyAttempts, TooManyHashes
from user_service.store import password_hashes
from user_service.store.password_hashes import hash_password, needs_rehash, verify_password


def test_a_password_fits_its_own_hash_only():
    stored = hash_password("correct horse")
    assert verify_password("correct horse", stored)
    assert not verify_password("Correct horse", stored)


def test_the_hash_is_argon2id_with_the_recommended_cost():
    assert hash_password("correct horse").startswith("$argon2id$v=19$m=7168,t=5,p=1$")


# Made by argon2-cffi 25.1, which made the hashes until then.
OLD = "$argon2id$v=19$m=19456,t=2,p=1$FOrCzinnGZk+npAGURbEww$wjtBf89eWoplqhdvMiElA5OfmYBFEBHGBdm59df4P+Q"


def test_a_hash_of_before_fits_and_is_due_to_be_made_anew():
    assert verify_password("correct horse", OLD)
    assert not verify_password("Correct horse", OLD)
    assert needs_rehash(OLD)


def test_without_an_account_no_password_is_right_not_even_that_of_the_dummy_hash():
    assert not verify_password("no account", "")


@pytest.mark.parametrize(
    "stored", ["not a hash", "x" * 300, OLD[:-1], OLD + "x", OLD.replace("argon2id", "argon2x"), "é"]
)
def test_a_damaged_hash_fits_nothing(stored):
    assert not verify_password("correct horse", stored)


class FakeLimit:
    """Counts, and calls a function that may wait or fail."""

    def __init__(self, when_counting=lambda: None):
        self.counted, self._when_counting = 0, when_counting

    def enforce_hit(self):
        self.counted += 1
        self._when_counting()

    def enforce(self):
        raise TooManyAttempts(9)

    def clear(self):
        self.counted = 0


def test_wrong_passwords_are_counted_and_a_right_one_clears_the_count():
    stored, limit = hash_password("correct horse"), FakeLimit()
    assert not verify_password("wrong", stored, limit)
    assert not verify_password("wrong", "", limit)
    assert limit.counted == 2
    assert verify_password("correct horse", stored, limit)
    assert limit.counted == 0


def test_two_are_hashed_at_a_time_and_a_longer_wait_is_refused(monkeypatch):
    monkeypatch.setattr(password_hashes, "QUEUE_SECONDS", 0.01)
    stored, inside, go_on = hash_password("correct horse"), threading.Barrier(3), threading.Event()

    def hold():
        inside.wait(10)
        assert go_on.wait(10)

    with ThreadPoolExecutor(2) as pool:
        busy = [pool.submit(verify_password, "correct horse", stored, FakeLimit(hold)) for _ in range(2)]
        inside.wait(10)
        with pytest.raises(TooManyHashes) as refused:
            hash_password("correct horse")
        with pytest.raises(TooManyAttempts):  # at its limit it does not wait
            verify_password("correct horse", stored, FakeLimit())
        go_on.set()
        assert all(one.result() for one in busy)
    assert (refused.value.kind, refused.value.retry_after_seconds) == (ErrorKind.UNAVAILABLE, 2)
    assert verify_password("correct horse", stored)


def test_a_refused_attempt_gives_its_turn_back():
    def refuse():
        raise RuntimeError

    for _ in range(3):
        with pytest.raises(RuntimeError):
            verify_password("correct horse", "", FakeLimit(refuse))
    assert hash_password("correct horse")


def test_a_hash_with_other_parameters_is_due_to_be_made_anew():
    assert not needs_rehash(hash_password("correct horse"))
    assert needs_rehash(argon2id.str(b"correct horse", opslimit=1, memlimit=8 * 2**20).decode())


@pytest.mark.parametrize("stored", ["", "Gr\u00f6sse-horse", "Gro\u0308sse-horse"])
@pytest.mark.parametrize(("typed", "hashes"), [("Gro\u0308sse-horse", 2), ("Gr\u00f6sse-horse", 1), ("a\u200b", 1)])
def test_a_password_is_compared_in_both_forms_whether_there_is_an_account_or_not(monkeypatch, stored, typed, hashes):
    known, compared = hash_password(stored) if stored else "", []
    password_hashes.dummy_hash()
    fits = password_hashes.fits
    monkeypatch.setattr(password_hashes, "fits", lambda *given: compared.append(given) or fits(*given))
    right = verify_password(typed, known)
    assert len(compared) == hashes
    assert right is (stored in (typed, "Gr\u00f6sse-horse") and typed != "a\u200b" and bool(stored))
