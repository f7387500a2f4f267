"""The command `staff`."""

import secrets
from dataclasses import replace

import pytest
from bson import ObjectId

from user_service.__main__ import staff
from user_service.store.documents import mail_tokens, users


@pytest.fixture
def email(monkeypatch) -> str:
    monkeypatch.setenv("STAFF_PASSWORD", "Correct-horse-battery")
    return f"Boss{secrets.token_hex(5)}@example.com"


def test_it_makes_accounts_with_a_verified_address_and_no_link(config, app, client, email, pending):
    assert staff(config, ["--email", f" {email} ", "--role", "admin"]) == 0
    (row,) = users().find({"email": email})
    assert (row["email_verified"], row["roles"]) == (True, ["admin"])
    assert [event["topic"] for event in pending(str(row["_id"]))] == ["user-registered"]
    body = {"email": email, "password": "Correct-horse-battery"}
    assert client.post("/login", json=body).status_code == 200


def test_it_promotes_an_account_in_each_spelling_of_its_address(config, people):
    person = people.make(verified=True)
    assert staff(config, ["--email", f" {person.email.upper()}"]) == 0
    (row,) = users().find({"username": person.username})
    assert (row["email_verified"], row["roles"], row["email"]) == (True, ["staff"], person.email)
    assert not list(mail_tokens().find({"user_id": row["_id"]}))


def test_who_registers_with_the_address_of_staff_before_them_gets_no_role(
    config, client, people, email, capsys, pending
):
    stranger = people.make()
    assert staff(config, ["--email", stranger.email, "--role", "admin"]) == 0
    assert "was not verified" in capsys.readouterr().out
    assert client.post("/login", json=stranger.credentials).status_code == 401
    assert client.post("/token/refresh", json={"refresh": stranger.refresh}).status_code == 401
    owner = people.log_in(replace(stranger, password="Correct-horse-battery"))
    shown = client.get("/users/me", headers=owner.headers).json
    assert (shown["roles"], shown["emailVerified"]) == (["admin"], True)
    assert "user-notice-requested" in [row["topic"] for row in pending(stranger.id)]
    assert not list(mail_tokens().find({"user_id": ObjectId(stranger.id)}))
    assert staff(config, ["--email", stranger.email]) == 0  # by now it is known
    assert client.post("/login", json=owner.credentials).status_code == 200


@pytest.mark.parametrize("password", ["", "iloveyou1", "MicroShop"])
def test_an_account_of_an_unverified_address_is_promoted_with_a_good_password_only(
    config, people, capsys, monkeypatch, password
):
    person = people.make()
    monkeypatch.setenv("STAFF_PASSWORD", password)
    assert staff(config, ["--email", person.email]) == 1
    assert "not promoted" in capsys.readouterr().err
    assert users().find_one({"username": person.username})["roles"] == []


@pytest.mark.parametrize(
    ("name", "password"),
    [("Bo\u00df@example.com", "Correct-horse"), ("Boss <{}>", "Correct-horse"), ("{}", "MicroShop")],
)
def test_it_refuses_what_a_registration_refuses(config, app, email, monkeypatch, capsys, name, password):
    monkeypatch.setenv("STAFF_PASSWORD", password)
    assert staff(config, ["--email", name.format(email), "--username", f"b{secrets.token_hex(5)}"]) == 1
    assert "Account not created" in capsys.readouterr().err
