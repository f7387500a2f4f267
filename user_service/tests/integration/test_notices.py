"""Owners are informed of changes of their account, at the address that it had."""

import secrets

import orjson
import pytest

from user_service.tests.integration.test_mail_links import ask, change_email, mails, reset, verify
from user_service.tests.integration.test_second_factor import set_up


@pytest.fixture
def notices(pending):
    """`notices(person)`: kind and address of each notice of an account, in order."""

    def read(person):
        rows = [row for row in pending(person.id) if row["topic"] == "user-notice-requested"]
        found = [orjson.loads(row["payload"]) for row in rows]
        assert all(data["username"] == person.username and data["userId"] == person.id for data in found)
        return [(data["kind"], data["email"]) for data in found]

    return read


def updates(pending, person):
    rows = [row for row in pending(person.id) if row["topic"] == "user-updated"]
    return [orjson.loads(row["payload"]) for row in rows]


def test_a_new_password(client, people, notices):
    person = people.make()
    assert notices(person) == []
    body = {"current": person.password, "new": "Another-horse"}
    assert client.post("/users/me/password", json=body, headers=person.headers).status_code == 204
    assert notices(person) == [("password-changed", person.email)]


def test_a_wrong_password_changes_nothing(client, people, notices):
    person = people.make()
    body = {"current": "wrong-password", "new": "Another-horse"}
    client.post("/users/me/password", json=body, headers=person.headers)
    assert notices(person) == []


def test_a_password_that_was_reset(client, people, pending, notices):
    person = people.make()
    ask(client, person.email)
    (mail,) = mails(pending, person, "reset")
    assert reset(client, mail["token"]).status_code == 204
    assert notices(person) == [("password-changed", person.email)]
    assert [data["emailVerified"] for data in updates(pending, person)] == [True]


def test_another_address_is_reported_to_the_old_one(client, people, notices):
    person = people.make()
    address = f"n{secrets.token_hex(5)}@example.com"
    assert change_email(client, person, address).status_code == 200
    assert notices(person) == [("email-changed", person.email)]


@pytest.mark.parametrize("same", [str, str.upper])
def test_the_same_address_is_no_change(client, people, notices, same):
    person = people.make()
    assert change_email(client, person, same(person.email)).status_code == 200
    assert notices(person) == []


def test_an_authenticator_is_added_and_removed_by_its_owner(client, people, notices):
    person, totp, codes = set_up(client, people)
    assert notices(person) == [("authenticator-added", person.email)]
    person = people.log_in(person, code=totp.now())
    body = {"password": person.password, "code": codes[0]}
    assert client.post("/users/me/totp/remove", json=body, headers=person.headers).status_code == 204
    assert notices(person)[1:] == [("authenticator-removed", person.email)]


def test_an_authenticator_is_removed_by_an_admin(client, people, notices):
    (person, _, _), admin = set_up(client, people), people.make("admin")
    assert client.delete(f"/users/{person.id}/totp", headers=admin.headers).status_code == 204
    assert notices(person)[1:] == [("authenticator-removed", person.email)]
    assert notices(admin) == []


def test_a_verified_address_is_published(client, people, pending):
    person = people.make()
    (mail,) = mails(pending, person, "verify")
    assert verify(client, mail["token"]).status_code == 204
    assert [data["emailVerified"] for data in updates(pending, person)] == [True]
    (registered,) = [row for row in pending(person.id) if row["topic"] == "user-registered"]
    assert orjson.loads(registered["payload"])["emailVerified"] is False


def test_a_new_address_ends_access_tokens_and_no_session(client, people, pending):
    person = people.make()
    address = f"n{secrets.token_hex(5)}@example.com"
    change_email(client, person, address)
    rows = [row for row in pending(person.id) if row["topic"] == "user-revocations"]
    assert [orjson.loads(row["payload"])["sid"] for row in rows] == [None]
    person = people.refresh(person)
    answer = client.get("/users/me", headers=person.headers)
    assert (answer.status_code, answer.json["email"]) == (200, address)
