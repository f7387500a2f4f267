"""Encryption: two keys, values of before, and the keys that are refused."""

import base64

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from libs.access.encryption import Encryption, EncryptionKey, UndecryptableText, is_encrypted
from libs.runtime.config import BadConfiguration, BaseConfig, load

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
CODED = base64.urlsafe_b64encode(bytes(range(32))).decode()


class Settings(BaseConfig):
    encryption_key: EncryptionKey


def cipher(*keys):
    return Encryption(SecretStr(",".join(keys)))


@pytest.mark.parametrize("text", ["", "JBSWY3DPEHPK3PXP", "ключ 🔑", "x" * 5000])
def test_a_text_is_unreadable_when_stored_and_the_same_afterwards(text):
    stored = cipher(NEW).encrypt(text)
    assert is_encrypted(stored)
    assert not text or text not in stored
    assert cipher(NEW).decrypt(stored) == text
    assert cipher(NEW).encrypt(text) != stored


@pytest.mark.parametrize(
    "plain", ["JBSWY3DPEHPK3PXP", "eyJhbGciOiJIUzI1NiJ9.e30.x", "01K00000000000000000000000.1.x", ""]
)
def test_a_value_of_before_is_its_own_text_and_not_current(plain):
    assert not is_encrypted(plain)
    assert cipher(NEW).decrypt(plain) == plain
    assert not cipher(NEW).is_current(plain)


def test_the_first_of_two_keys_encrypts_and_both_decrypt():
    old = cipher(OLD).encrypt("text")
    both = cipher(NEW, OLD)
    assert both.decrypt(old) == "text"
    assert not both.is_current(old)
    new = both.encrypt("text")
    assert both.is_current(new)
    assert cipher(NEW).decrypt(new) == "text"


@pytest.mark.parametrize(
    "change", [lambda stored: stored[:-4] + "AAA=", lambda stored: stored[:30], lambda stored: stored + "ü"]
)
def test_a_changed_text_is_refused(change):
    with pytest.raises(UndecryptableText):
        cipher(NEW).decrypt(change(cipher(NEW).encrypt("text")))


def test_a_text_of_an_unknown_key_is_refused():
    with pytest.raises(UndecryptableText):
        cipher(NEW).decrypt(cipher(OLD).encrypt("text"))


@pytest.mark.parametrize("value", [NEW, f"{NEW},{OLD}", f" {NEW} , {OLD} ", CODED], ids="abcd")
def test_one_or_two_keys_are_accepted(value):
    stored = Encryption(load(Settings, {"ENCRYPTION_KEY": value}).encryption_key).encrypt("text")
    assert cipher(value.split(",")[0].strip()).decrypt(stored) == "text"


@pytest.mark.parametrize(
    "value",
    [
        "changeme",
        "x" * 44,
        NEW[:-1],
        NEW + "=",
        NEW[:20] + " " + NEW[20:],
        NEW[:20] + "+/" + NEW[22:],
        f"{NEW},",
        f",{NEW}",
        f"{NEW},{NEW}",
        f"{NEW},{OLD},{CODED}",
        f"{NEW};{OLD}",
        base64.urlsafe_b64encode(bytes(32)).decode(),
        base64.urlsafe_b64encode(b"0123456789" * 3 + b"01").decode(),
    ],
    ids="abcdefghijklm",  # the keys are random
)
def test_other_keys_are_refused_at_start_without_their_value(value):
    with pytest.raises(BadConfiguration) as error:
        load(Settings, {"ENCRYPTION_KEY": value})
    assert set(error.value.problems) == {"ENCRYPTION_KEY"}
    assert value not in str(error.value)
