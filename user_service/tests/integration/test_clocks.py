"""Tokens, sessions, links and codes by the database's clock: the clock of the process may be minutes or an hour off."""

from datetime import datetime, timedelta

import orjson
import pyotp
import pytest

from tests.host_clock import shift
from user_service.store import clock
from user_service.tests.integration.conftest import bearer, within
from user_service.tests.integration.test_mail_links import ask, mails, reset
from user_service.tests.integration.test_sessions import SECONDS, claims, me, refresh, refused, revocations

HOUR = 3600
SKEWS = pytest.mark.parametrize("skew", [-HOUR, -300, 300, HOUR])


@SKEWS
def test_a_token_has_the_time_of_the_database_and_is_accepted(client, people, monkeypatch, skew):
    shift(monkeypatch, skew)
    before = clock.now().timestamp()
    person = people.make()
    issued = claims(person.headers)
    assert before <= issued["iat"] <= clock.now().timestamp()
    assert issued["exp"] == int(issued["iat"]) + 900
    assert me(client, person.headers) == 200
    assert me(client, people.refresh(person).headers) == 200


@SKEWS
def test_a_logout_ends_the_tokens_of_its_session_and_no_later_ones(client, people, pending, monkeypatch, skew):
    person = people.make()
    shift(monkeypatch, skew)
    assert client.post("/logout", json={"refresh": person.refresh}).status_code == 204
    (revocation,) = revocations(pending, person)
    assert 0 <= clock.now().timestamp() - revocation["notBefore"] / 1000 < 60
    within(SECONDS, refused(client, person.headers))
    assert me(client, people.log_in(person).headers) == 200


@SKEWS
def test_processes_whose_clocks_differ_agree_on_what_a_new_password_ends(client, people, monkeypatch, skew):
    """The one that is off changes the password. The right one logs in, at once."""
    person, password = people.make(), "Other-horse-battery"
    with monkeypatch.context() as off:
        shift(off, skew)
        body = {"current": person.password, "new": password}
        assert client.post("/users/me/password", json=body, headers=person.headers).status_code == 204
    answer = client.post("/login", json={"email": person.email, "password": password})
    within(SECONDS, refused(client, person.headers))
    assert me(client, bearer(answer)) == 200


@SKEWS
def test_an_address_is_as_old_as_the_database_says(client, people, pending, monkeypatch, skew):
    """order_service compares this time with that of tokens. A wrong one would send mails to a former address."""
    person = people.make()
    shift(monkeypatch, skew)
    before, body = clock.now(), {"email": f"new-{person.email}", "password": person.password}
    assert client.patch("/users/me", json=body, headers=person.headers).status_code == 200
    [event] = [row for row in pending(person.id) if row["topic"] == "user-updated"]
    at = datetime.fromisoformat(orjson.loads(event["headers"])["ce_time"])
    assert before <= at + timedelta(milliseconds=1)
    assert at <= clock.now()
    token = client.post("/token/refresh", json={"refresh": person.refresh})
    assert at.timestamp() <= claims(bearer(token))["iat"]


@SKEWS
def test_a_session_a_link_and_a_code_last_as_long_as_they_should(client, people, pending, monkeypatch, skew):
    person = people.make(verified=True)
    assert ask(client, person.email).status_code == 202
    (mail,) = mails(pending, person, "reset")
    shift(monkeypatch, skew)
    assert refresh(client, person.refresh).status_code == 200
    listed = client.get("/users/me/sessions", headers=person.headers)
    assert len(listed.json["results"]) == 1
    offer = client.post("/users/me/totp", json={"password": person.password}, headers=person.headers)
    code = pyotp.TOTP(offer.json["secret"]).at(clock.now())
    confirmed = client.post("/users/me/totp/confirm", json={"code": code}, headers=person.headers)
    assert confirmed.status_code == 200, confirmed.json
    assert reset(client, mail["token"]).status_code == 204
