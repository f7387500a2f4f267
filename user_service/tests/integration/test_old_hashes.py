"""Password hashes from before: they fit, a login replaces them, and none of several logins at once is refused."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from nacl.pwhash import argon2id

from user_service.store.documents import users
from user_service.store.dummy_hashes import OLD_MEMORY_BYTES, OLD_PASSES, share_of_old_hashes
from user_service.store.password_hashes import PARAMETERS


@pytest.fixture
def no_users(app):
    """A collection without the accounts of other tests, which gets no odd ones."""
    users().delete_many({})
    yield
    users().delete_many({})


def age(person):
    """Give the account the hash that its password had before."""
    old = argon2id.str(person.password.encode(), opslimit=OLD_PASSES, memlimit=OLD_MEMORY_BYTES).decode()
    users().update_one({"username": person.username}, {"$set": {"password_hash": old}})
    return old


def hash_of(person):
    return users().find_one({"username": person.username})["password_hash"]


def login(client, person, password=None):
    return client.post("/login", json={"email": person.email, "password": password or person.password}).status_code


def test_a_login_replaces_an_old_hash_and_a_wrong_password_does_not(client, people):
    person = people.make()
    old = age(person)
    assert login(client, person, "wrong-password") == 401
    assert hash_of(person) == old
    assert login(client, person) == 200
    new = hash_of(person)
    assert new.startswith(PARAMETERS)
    assert login(client, person) == 200
    assert hash_of(person) == new


def test_none_of_several_logins_at_once_is_refused(app, people):
    person = people.make()
    for _ in range(5):
        age(person)
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: login(app.test_client(), person), range(6)))
        assert answers == [200] * 6
        assert hash_of(person).startswith(PARAMETERS)


@pytest.mark.parametrize(("old", "new"), [(0, 2), (1, 1), (3, 1), (2, 0)])
def test_the_share_of_old_hashes_is_that_of_the_accounts(people, no_users, old, new):
    for number in range(old + new):
        person = people.make()
        if number < old:
            age(person)
    users().insert_one({"username": "gone", "roles": []})  # an erased account has no hash
    assert share_of_old_hashes() == pytest.approx(old / (old + new))


def test_without_accounts_none_is_old(no_users):
    assert share_of_old_hashes() == 0.0
