"""The desk's tokens in the database: encrypted, and readable by the two keys of a rotation."""

import base64
import secrets

import pytest
from pydantic import SecretStr

from libs.access.encryption import Encryption, is_encrypted
from order_service.desk.models import StaffTokens
from order_service.desk.sign_in import token_store
from order_service.desk.sign_in.user_service import TokenPair
from order_service.tests.integration.neighbours import sign_in

pytestmark = pytest.mark.django_db

TOKENS = TokenPair("access.of.staff", "refresh.of.staff")
KEYS = [base64.urlsafe_b64encode(secrets.token_bytes(32)).decode() for _ in range(3)]


def keys(settings, *names):
    settings.ENCRYPTION = Encryption(SecretStr(",".join(names)))


def stored():
    return [text for row in StaffTokens.objects.all() for text in (row.access, row.refresh) if text]


def test_no_token_of_a_signed_in_staff_member_is_readable(accounts, browser):
    sign_in(browser, accounts.add("staff"))
    assert len(stored()) == 2
    assert all(map(is_encrypted, stored()))
    assert not any(token in "".join(stored()) for token in [*accounts.valid, *accounts.refresh_tokens])


def test_a_renewed_pair_is_encrypted_too(accounts, browser, products):
    sign_in(browser, accounts.add("staff"))
    accounts.valid.clear()
    assert browser.get("/admin/products/").status_code == 200
    assert accounts.renewals() == 1
    assert all(map(is_encrypted, stored()))
    assert not any(token in "".join(stored()) for token in accounts.valid)


def test_a_row_of_an_earlier_release_is_read_and_the_command_encrypts_it():
    key = token_store.add(TOKENS)
    StaffTokens.objects.update(access=TOKENS.access, refresh=TOKENS.refresh)
    assert token_store.read(key) == TOKENS
    assert token_store.rotate() == (1, 0)
    assert all(map(is_encrypted, stored()))
    assert token_store.read(key) == TOKENS
    assert token_store.rotate() == (0, 0)


def test_a_pair_without_a_refresh_token_stays_one():
    key = token_store.add(TokenPair("access", None))
    assert token_store.rotate() == (0, 0)
    assert token_store.read(key) == ("access", None)


def test_a_key_is_replaced_in_two_steps(settings):
    keys(settings, KEYS[0])
    key = token_store.add(TOKENS)
    keys(settings, KEYS[1], KEYS[0])
    assert token_store.read(key) == TOKENS
    assert token_store.rotate() == (1, 0)
    keys(settings, KEYS[1])
    assert token_store.read(key) == TOKENS


def test_without_its_key_a_login_has_ended_and_the_command_says_how_many(settings):
    keys(settings, KEYS[0])
    key = token_store.add(TOKENS)
    keys(settings, KEYS[2])
    with pytest.raises(token_store.LoginEnded):
        token_store.read(key)
    assert token_store.rotate() == (0, 1)
    assert token_store.remove(key) is None
    assert not StaffTokens.objects.exists()
