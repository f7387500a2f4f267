"""The dummy hashes: an unknown address takes as long as a known one."""

import pytest
from pydantic import SecretStr

from user_service.store import dummy_hashes
from user_service.store.dummy_hashes import DummyHashes, old_dummy_hash
from user_service.store.password_hashes import dummy_hash, needs_rehash

KEY = SecretStr("k" * 64)
ADDRESSES = [f"someone.{number}@example.com" for number in range(400)]


def old_ones(share, key=KEY):
    """The addresses with an old dummy."""
    dummies = DummyHashes(key, lambda: share)
    return {address for address in ADDRESSES if dummies.of(address) == old_dummy_hash()}


def test_the_old_dummy_has_the_parameters_of_old_hashes():
    assert old_dummy_hash().startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert needs_rehash(old_dummy_hash())
    assert not needs_rehash(dummy_hash())


def test_as_many_addresses_have_an_old_dummy_as_accounts_have_old_hashes():
    assert old_ones(0.0) == set()
    assert old_ones(1.0) == set(ADDRESSES)
    assert 60 < len(old_ones(0.25)) < 140  # 100 of 400, more than four standard deviations


def test_an_address_has_the_same_dummy_in_each_process_and_an_old_one_as_long_as_any():
    assert old_ones(0.5) == old_ones(0.5)
    assert old_ones(0.25) < old_ones(0.5) < old_ones(0.75)


def test_without_the_key_no_address_can_be_distinguished():
    assert old_ones(0.5) != old_ones(0.5, SecretStr("l" * 64))


def test_the_old_hashes_are_counted_once_an_hour_whatever_the_address(monkeypatch):
    counted, moment = [], [1000.0]
    monkeypatch.setattr(dummy_hashes.time, "monotonic", lambda: moment[0])
    dummies = DummyHashes(KEY, lambda: counted.append(moment[0]) or 0.0)
    for address in ADDRESSES:
        dummies.of(address)
    moment[0] += 3599
    dummies.of(ADDRESSES[0])
    assert counted == [1000.0]
    moment[0] += 1
    dummies.of(ADDRESSES[1])
    assert counted == [1000.0, 4600.0]


def test_a_count_that_fails_is_repeated_at_the_next_login():
    results = iter([ConnectionError(), 1.0])

    def share():
        result = next(results)
        if isinstance(result, Exception):
            raise result
        return result

    dummies = DummyHashes(KEY, share)
    with pytest.raises(ConnectionError):
        dummies.of(ADDRESSES[0])
    assert dummies.of(ADDRESSES[0]) == old_dummy_hash()
