"""The command `staff`."""

import secrets

import pytest

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
    person = people.make()
    assert staff(config, ["--email", f" {person.email.upper()}"]) == 0
    (row,) = users().find({"username": person.username})
    assert (row["email_verified"], row["roles"], row["email"]) == (True, ["staff"], person.email)
    assert not list(mail_tokens().find({"user_id": row["_id"]}))


@pytest.mark.parametrize(
    ("name", "password"),
    [("Bo\u00df@example.com", "Correct-horse"), ("Boss <{}>", "Correct-horse"), ("{}", "MicroShop")],
)
def test_it_refuses_what_a_registration_refuses(config, app, email, monkeypatch, capsys, name, password):
    monkeypatch.setenv("STAFF_PASSWORD", password)
    assert staff(config, ["--email", name.format(email), "--username", f"b{secrets.token_hex(5)}"]) == 1
    assert "Account not created" in capsys.readouterr().err
