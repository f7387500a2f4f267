"""One form of an e-mail address decides whose it is: at registration, login, reset, change, search and in commands."""

import secrets
from dataclasses import replace

import pytest

from user_service.__main__ import migrate_emails
from user_service.store.documents import User, mail_tokens, users
from user_service.tests.integration.test_mail_links import ask, change_email, mails, reset, verify
from user_service.tests.integration.test_registration import new_account

PASSWORD = "Correct-horse-battery"


def register(client, email):
    return client.post("/register", json=new_account(email=email, password=PASSWORD))


def login(client, email):
    return client.post("/login", json={"email": email, "password": PASSWORD})


def me(client, email):
    token = login(client, email).json["token"]
    return client.get("/users/me", headers={"Authorization": f"Bearer {token}"}).json


@pytest.fixture
def tag() -> str:
    return f"a{secrets.token_hex(5)}"


@pytest.mark.parametrize(
    ("given", "kept", "others"),
    [
        (" {}@Example.com ", "{}@Example.com", ["{}@example.com", "\t{}@EXAMPLE.COM\n", "{}@example\uff0ecom"]),
        ("{}@xn--bcher-kva.example", None, ["{}@bücher.example", "{}@BÜCHER.example", "{}@bu\u0308cher.example"]),
        ("{}@bücher.example", None, ["{}@xn--bcher-kva.example", "{}@XN--BCHER-KVA.EXAMPLE"]),
        ("{}@example\u3002com", None, ["{}@example.com"]),
        ("{}@straße.example", None, ["{}@xn--strae-oqa.example", "{}@STRAẞE.example"]),
    ],
)
def test_an_address_is_kept_as_given_and_found_in_each_spelling(client, tag, pending, given, kept, others):
    given, others = given.format(tag), [other.format(tag) for other in others]
    user_id = register(client, given).json["userId"]
    for text in (given, *others, given.upper() if given.isascii() else given):
        assert login(client, text).status_code == 200, text
    assert me(client, given)["email"] == (kept or given).format(tag)
    for other in others:
        assert register(client, other).json["code"] == "email-taken"
        ask(client, other)
    assert sum(row["topic"] == "user-mail-requested" for row in pending(user_id)) == 1 + len(others)


@pytest.mark.parametrize(
    "text",
    [
        "Ada <{}@example.com>",
        "<{}@example.com>",
        '"{}"@example.com',
        '"a b"@example.com',
        "{}@[192.0.2.1]",
        "{}@[IPv6:2001:db8::1]",
        "{}@192.0.2.1",
        "{}@example.com.",
        "{}.@example.com",
        "{}@exa\u00admple.com",
        "{}@exam\u200bple.com",
        "{}\uff20example.com",
        "{}(comment)@example.com",
        "{}@example.com,b@example.com",
        "{} @example.com",
        "{}@xn--a.example",
        "{}" + "a" * 64 + "@example.com",  # RFC 5321 4.5.3.1.1
        "{}@my_host.example",
        "é{}@example.com",
        "{}\u212a@example.com",
        "",
        "   ",
    ],
)
def test_what_is_no_plain_address_is_refused_when_it_is_given(client, people, tag, text):
    answer = register(client, text.format(tag))
    assert answer.status_code == 400
    assert {error["field"] for error in answer.json["errors"]} == {"email"}
    person = people.make()
    assert change_email(client, person, text.format(tag)).status_code == 400
    assert login(client, text.format(tag)).status_code == 401


def test_straße_and_strasse_are_two_mailboxes(client, tag):
    assert register(client, f"{tag}@strasse.example").status_code == 201
    assert register(client, f"{tag}@straße.example").status_code == 201


def test_with_smtputf8_a_local_part_may_be_of_any_alphabet(client, tag, app, config, monkeypatch):
    monkeypatch.setitem(app.extensions, "config", config.model_copy(update={"smtp_utf8": True}))
    assert register(client, f"stra\u00dfe{tag}@example.com").status_code == 201
    assert register(client, f"strasse{tag}@example.com").status_code == 201
    assert register(client, f"e\u0301va{tag}@example.com").status_code == 201
    assert login(client, f"\u00c9VA{tag}@example.com").status_code == 200


def test_another_case_is_a_change_that_keeps_the_verification(client, people, pending):
    person = people.make()
    (mail,) = mails(pending, person, "verify")
    verify(client, mail["token"])
    ask(client, person.email)
    changed = change_email(client, person, person.email.lower())
    assert (changed.status_code, changed.json["email"]) == (200, person.email.lower())
    assert changed.json["emailVerified"] is True
    topics = [row["topic"] for row in pending(person.id)]
    assert topics[-2:] == ["user-updated", "user-revocations"]
    assert len(mails(pending, person, "verify")) == 1
    assert reset(client, mails(pending, person, "reset")[-1]["token"]).status_code == 204


def test_staff_find_an_account_by_the_beginning_of_each_spelling(client, people, tag):
    user_id = register(client, f"{tag}@xn--bcher-kva.example").json["userId"]
    viewer = people.make("viewer")
    for text in (f"{tag}@b", f"{tag}@BÜCH", f"{tag}@bücher.example", f"{tag}@xn--bcher-kva.example", f" {tag}"):
        answer = client.get("/users", query_string={"search": text}, headers=viewer.headers)
        assert [user["id"] for user in answer.json["results"]] == [user_id], text


def test_wrong_logins_count_together_for_all_spellings(client, people):
    person = people.make()
    spellings = [person.email, person.email.upper(), f" {person.email}", person.email.lower(), f"{person.email} "]
    wrong = [{"email": email, "password": "wrong-password"} for email in spellings]
    assert [client.post("/login", json=body).status_code for body in wrong] == [401] * 5
    assert client.post("/login", json=wrong[0]).status_code == 429


@pytest.fixture
def only_users(app):
    """A collection without the accounts of other tests, whose addresses collide with nothing."""
    users().delete_many({})
    mail_tokens().delete_many({})


def stored(person, email, key):
    users().update_one({"username": person.username}, {"$set": {"email": email, "email_key": key}})


def test_keys_are_migrated_with_those_of_links(client, people, pending, config, capsys, only_users):
    person, other = people.make(), people.make()
    (mail,) = mails(pending, person, "verify")
    tag = person.username
    stored(person, f"{tag}@Straße.example", f"{tag}@strasse.example")  # a key of before
    mail_tokens().update_many(
        {"user_id": User.objects.get(username=tag).id}, {"$set": {"email_key": f"{tag}@strasse.example"}}
    )
    stored(other, f"{tag}@strasse.example", f"{tag}@another.example")  # its new key is the old one of the first
    assert migrate_emails(config, ["--dry-run"]) == 0
    assert "2 keys would change" in capsys.readouterr().out
    assert client.post("/login", json=replace(person, email=f"{tag}@straße.example").credentials).status_code == 401
    assert migrate_emails(config, []) == 0
    assert client.post("/login", json=replace(person, email=f"{tag}@straße.example").credentials).status_code == 200
    assert client.post("/login", json=replace(other, email=f"{tag}@strasse.example").credentials).status_code == 200
    assert verify(client, mail["token"]).status_code == 204
    assert migrate_emails(config, []) == 0
    assert "0 keys" in capsys.readouterr().out.splitlines()[-1]


def test_a_collision_is_named_and_nothing_changes(people, config, capsys, only_users):
    first, second, third = people.make(), people.make(), people.make()
    tag = first.username
    stored(first, f"{tag}@bücher.example", f"{tag}@bücher.example")
    stored(second, f"{tag}@xn--bcher-kva.example", f"{tag}@xn--bcher-kva.example")
    stored(third, f" {third.email}", f" {third.email.lower()}")
    before = list(users().find())
    for arguments in (["--dry-run"], []):
        assert migrate_emails(config, arguments) == 1
        error = capsys.readouterr().err
        assert f"{tag}@bücher.example ({first.id}), {tag}@xn--bcher-kva.example ({second.id})" in error.splitlines()[0]
    assert list(users().find()) == before


def test_an_account_whose_key_is_of_before_can_be_changed(client, people):
    person = people.make()
    stored(person, person.email, f" {person.email.lower()}")
    answer = client.patch("/users/me", json={"username": f"n{person.username}"}, headers=person.headers)
    assert answer.status_code == 200
