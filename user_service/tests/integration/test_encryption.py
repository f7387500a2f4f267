"""Secrets of authenticators are encrypted in the database, and the key can be replaced while people log in."""

import time

import pyotp
import pytest
from bson import ObjectId
from cryptography.fernet import Fernet
from pydantic import SecretStr

from libs.access.encryption import Encryption
from user_service.commands.rotate_encryption import rotate
from user_service.store.documents import users
from user_service.tests.integration.test_second_factor import confirm, login, offer, set_up


@pytest.fixture(autouse=True)
def no_other_secrets(app):
    """No secret of another test is found by the command."""
    fields = ("totp_secret", "totp_offered", "totp_step", "recovery_hashes")
    users().update_many({}, {"$unset": dict.fromkeys(fields, "")})


@pytest.fixture
def use_key(app, config, monkeypatch):
    """`use_key(key)`: the service starts with another ENCRYPTION_KEY. It returns the service's configuration."""

    def start(*keys):
        key = SecretStr(",".join(keys))
        monkeypatch.setitem(app.extensions, "encryption", Encryption(key))
        return config.model_copy(update={"encryption_key": key})

    return start


def stored(person):
    return users().find_one({"_id": ObjectId(person.id)})


def new_key():
    return Fernet.generate_key().decode()


def test_neither_an_offered_nor_a_confirmed_secret_is_readable_in_the_database(client, people, config):
    person = people.make(verified=True)
    secret = offer(client, person).json["secret"]
    assert secret not in str(stored(person))
    totp = pyotp.TOTP(secret)
    assert confirm(client, person, totp.at(time.time() - 30)).status_code == 200
    assert secret not in str(stored(person))
    assert Encryption(config.encryption_key).decrypt(stored(person)["totp_secret"]) == secret
    assert login(client, person, code=totp.now()).status_code == 200


def test_a_secret_of_before_works_and_is_encrypted_by_the_command(client, people, config, capsys):
    (person, totp, codes), other = set_up(client, people), people.make(verified=True)
    offered = offer(client, other).json["secret"]
    users().update_one({"_id": ObjectId(person.id)}, {"$set": {"totp_secret": totp.secret}})
    users().update_one({"_id": ObjectId(other.id)}, {"$set": {"totp_offered": offered}})
    assert login(client, person, code=codes[0]).status_code == 200
    assert stored(person)["totp_secret"] == totp.secret
    assert rotate(config, []) == 0
    assert "2 secrets" in capsys.readouterr().out
    assert totp.secret not in str(stored(person))
    assert offered not in str(stored(other))
    assert login(client, person, code=totp.now()).status_code == 200
    assert confirm(client, other, pyotp.TOTP(offered).now()).status_code == 200
    assert rotate(config, []) == 0
    assert "0 secrets" in capsys.readouterr().out


def test_a_key_is_replaced_in_three_steps(client, people, use_key, capsys):
    old, new = new_key(), new_key()
    use_key(old)
    person, totp, codes = set_up(client, people)
    both = use_key(new, old)
    assert login(client, person, code=codes[0]).status_code == 200
    assert rotate(both, []) == 0
    assert "1 secrets" in capsys.readouterr().out
    use_key(new)
    assert login(client, person, code=totp.now()).status_code == 200


def test_without_its_key_a_secret_is_reported_and_a_login_is_refused_as_unavailable(client, people, use_key, capsys):
    use_key(new_key())
    person, totp, _ = set_up(client, people)
    before = stored(person)["totp_secret"]
    assert rotate(use_key(new_key()), []) == 1
    printed = capsys.readouterr()
    assert person.id in printed.err
    assert stored(person)["totp_secret"] == before
    answer = login(client, person, code=totp.now())
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert login(client, people.make()).status_code == 200


def test_a_wrong_code_is_wrong_with_encryption_too(client, people):
    person, _, _ = set_up(client, people)
    assert login(client, person, code="000000").status_code == 401
