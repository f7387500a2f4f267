"""A token that was verified before: its signature counts once, its time and its revocations each time."""

import time

import jwt
import pytest
from pydantic import SecretStr

from libs.access import revocations, verified_tokens
from libs.access import tokens as module
from libs.access.revocations import Revocation, Revocations
from libs.access.tokens import AccessTokens
from libs.values.errors import NotAuthenticated

PERSON = {"user_id": "u1", "email": "a@example.com", "username": "ann", "roles": ["staff"], "sid": "s1"}


@pytest.fixture
def decoded(monkeypatch):
    """The tokens whose signatures were checked."""
    seen = []
    decode = jwt.decode

    def note(token, *args, **kwargs):
        seen.append(token)
        return decode(token, *args, **kwargs)

    monkeypatch.setattr(module.jwt, "decode", note)
    return seen


def make(secret="s", **more):
    return AccessTokens(SecretStr(secret * 64), "microshop", "microshop", **more)


def test_a_token_is_verified_once(decoded):
    tokens = make()
    token = tokens.mint(**PERSON)
    first = tokens.check(token)
    assert tokens.check(token) == first
    assert tokens.check(token).issued_at == first.issued_at
    assert decoded == [token]


def test_a_bad_token_is_verified_each_time(decoded):
    tokens = make()
    bad = make("t").mint(**PERSON)
    for _ in range(2):
        with pytest.raises(NotAuthenticated):
            tokens.check(bad)
    assert decoded == [bad, bad]


def test_a_verified_token_expires(monkeypatch):
    tokens = make(lifetime_seconds=60)
    token = tokens.mint(**PERSON)
    tokens.check(token)
    end = int(time.time()) + 60 + module.LEEWAY_SECONDS
    monkeypatch.setattr(revocations.time, "time", lambda: end - 2)
    assert tokens.check(token)
    monkeypatch.setattr(revocations.time, "time", lambda: end + 1)
    with pytest.raises(NotAuthenticated):
        tokens.check(token)


def test_a_verified_token_is_revoked_at_its_next_request():
    known = Revocations()
    tokens = make(revocations=known)
    token = tokens.mint(**PERSON)
    caller = tokens.check(token)
    known.add([Revocation("u1", "s1", caller.issued_at + 1)])
    with pytest.raises(NotAuthenticated):
        tokens.check(token)


def test_a_token_of_another_key_is_another_object_s():
    old, new = make("s"), make("t")
    token = old.mint(**PERSON)
    old.check(token)
    with pytest.raises(NotAuthenticated):
        new.check(token)


def test_thousands_of_tokens_do_not_fill_the_memory():
    tokens = make()
    for number in range(3 * verified_tokens.TOKENS):
        tokens.verified.add(str(number).encode(), None, {"exp": time.time() + 60})
    kept = tokens.verified._entries
    assert len(kept._young) + len(kept._old) <= 2 * verified_tokens.TOKENS
