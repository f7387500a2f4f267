"""Mail links: to verify an address, to reset a password."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from libs.values.email_address import email_key
from libs.values.times import now
from user_service.store.documents import User, mail_tokens
from user_service.tests.integration.conftest import within


def mails(pending, person, kind):
    """The data of the mails that were requested for a person, the newest last."""
    rows = [orjson.loads(row["payload"]) for row in pending(person.id) if row["topic"] == "user-mail-requested"]
    return [data for data in rows if data["kind"] == kind]


def ask(client, email):
    return client.post("/password-reset", json={"email": email})


def reset(client, token, password="Another-horse"):
    return client.post("/password-reset/confirm", json={"token": token, "password": password})


def verify(client, token):
    return client.post("/verify-email", json={"token": token})


def change_email(client, person, email):
    return client.patch("/users/me", json={"email": email, "password": person.password}, headers=person.headers)


def test_a_new_user_is_asked_to_verify_the_address(client, people, pending):
    person = people.make()
    (mail,) = mails(pending, person, "verify")
    assert (mail["userId"], mail["email"], mail["username"]) == (person.id, person.email, person.username)
    assert client.get("/users/me", headers=person.headers).json["emailVerified"] is False
    assert verify(client, mail["token"]).status_code == 204
    assert client.get("/users/me", headers=person.headers).json["emailVerified"] is True
    again = verify(client, mail["token"])
    assert (again.status_code, again.json["code"]) == (400, "token-invalid")


def test_another_address_has_to_be_verified_anew_and_the_old_token_is_void(client, people, pending):
    person = people.make()
    (first,) = mails(pending, person, "verify")
    verify(client, first["token"])
    address = f"n{secrets.token_hex(5)}@example.com"
    changed = change_email(client, person, address)
    assert changed.json["emailVerified"] is False
    _, second = mails(pending, person, "verify")
    assert second["email"] == address
    person = people.log_in(replace(person, email=address))
    change_email(client, person, f"x{address}")
    assert verify(client, second["token"]).status_code == 400
    assert verify(client, mails(pending, person, "verify")[-1]["token"]).status_code == 204


def test_a_reset_sets_the_password_ends_all_sessions_and_works_once(client, people, pending):
    person = people.make()
    assert ask(client, person.email.upper()).status_code == 202
    (mail,) = mails(pending, person, "reset")
    assert reset(client, mail["token"]).status_code == 204
    assert client.post("/login", json=person.credentials).status_code == 401
    assert client.post("/login", json=person.credentials | {"password": "Another-horse"}).status_code == 200
    assert client.post("/token/refresh", json={"refresh": person.refresh}).status_code == 401
    within(2, lambda: client.get("/users/me", headers=person.headers).status_code == 401)
    again = reset(client, mail["token"])
    assert (again.status_code, again.json["code"]) == (400, "token-invalid")


def test_of_several_reset_mails_any_works_and_then_none(client, people, pending):
    person = people.make()
    ask(client, person.email), ask(client, person.email)
    first, second = mails(pending, person, "reset")
    assert reset(client, first["token"]).status_code == 204
    assert reset(client, second["token"]).status_code == 400


def test_of_several_uses_of_a_token_at_once_one_works(client, app, people, pending):
    person = people.make()
    ask(client, person.email)
    (mail,) = mails(pending, person, "reset")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: reset(app.test_client(), mail["token"], f"Another-horse-{n}"), range(4)))
    assert sorted(a.status_code for a in answers) == [204, 400, 400, 400]


def test_a_bad_new_password_does_not_use_up_the_token(client, people, pending):
    person = people.make()
    ask(client, person.email)
    (mail,) = mails(pending, person, "reset")
    assert reset(client, mail["token"], "password1").json["errors"][0]["code"] == "common-password"
    assert reset(client, mail["token"]).status_code == 204


def test_tokens_expire_and_are_good_for_their_own_purpose_only(client, people, pending):
    person = people.make()
    ask(client, person.email)
    (to_reset,), (to_verify,) = mails(pending, person, "reset"), mails(pending, person, "verify")
    assert verify(client, to_reset["token"]).status_code == 400
    assert reset(client, to_verify["token"]).status_code == 400
    mail_tokens().update_many(
        {"email_key": email_key(person.email)}, {"$set": {"expires_at": now() - timedelta(seconds=1)}}
    )
    assert reset(client, to_reset["token"]).status_code == 400
    assert verify(client, to_verify["token"]).status_code == 400


def test_the_database_keeps_no_token_as_text(client, people, pending, app):
    person = people.make()
    ask(client, person.email)
    tokens = [mail["token"] for kind in ("reset", "verify") for mail in mails(pending, person, kind)]
    assert len(tokens) == 2
    db = User._get_db()
    kept = str([list(db[name].find()) for name in db.list_collection_names() if name != "outbox"])
    assert not [token for token in tokens if token in kept]


@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 128])
def test_a_token_that_was_never_sent_is_refused(client, token):
    assert reset(client, token).json["code"] == "token-invalid"
    assert verify(client, token).json["code"] == "token-invalid"


def test_unknown_disabled_and_known_addresses_are_answered_alike(client, people, pending):
    person, disabled, admin = people.make(), people.make(), people.make("admin")
    client.patch(f"/users/{disabled.id}", json={"active": False}, headers=admin.headers)
    answers = [ask(client, email) for email in (person.email, f"unknown-{person.email}", disabled.email, "no address")]
    assert {(a.status_code, a.data) for a in answers} == {(202, answers[0].data)}
    assert mails(pending, disabled, "reset") == []


def test_the_sixth_request_of_an_hour_is_answered_alike_and_sends_no_mail(client, people, pending):
    person = people.make()
    assert {ask(client, person.email).status_code for _ in range(8)} == {202}
    assert len(mails(pending, person, "reset")) == 5


def test_a_deleted_account_can_not_be_reset(client, people, pending):
    person = people.make()
    ask(client, person.email)
    (mail,) = mails(pending, person, "reset")
    client.post("/users/me/delete", json={"password": person.password}, headers=person.headers)
    assert reset(client, mail["token"]).status_code == 400
    assert not list(mail_tokens().find({"email_key": email_key(person.email)}))


@pytest.mark.parametrize(
    ("path", "sends_to"), [("/password-reset", "/password-reset/confirm"), ("/verify-email", "/verify-email")]
)
def test_the_links_open_pages_that_keep_the_token_to_themselves(client, path, sends_to):
    page = client.get(f"{path}?token=<script>alert(1)</script>")
    assert page.status_code == 200
    assert page.mimetype == "text/html"
    assert f'data-send="{sends_to}"' in page.text
    assert "alert" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for name in ("pages.css", "pages.js"):
        assert f"/static/{name}" in page.text
        with client.get(f"/static/{name}") as file:
            assert file.status_code == 200


def change_password(client, person, new):
    body = {"current": person.password, "new": new}
    return client.post("/users/me/password", json=body, headers=person.headers)


def test_a_new_password_ends_the_links_to_reset_it(client, people, pending):
    person = people.make()
    ask(client, person.email)
    assert change_password(client, person, "Another-horse").status_code == 204
    assert reset(client, mails(pending, person, "reset")[0]["token"], "A-third-horse").json["code"] == "token-invalid"
    assert verify(client, mails(pending, person, "verify")[0]["token"]).status_code == 204


def test_links_to_an_old_address_stay_dead_when_the_address_is_changed_back(client, people, pending):
    person = people.make()
    ask(client, person.email)
    address = f"new-{person.email}"
    assert change_email(client, person, address).status_code == 200
    back = people.log_in(replace(person, email=address))
    assert change_email(client, back, person.email).status_code == 200
    assert reset(client, mails(pending, person, "reset")[0]["token"]).status_code == 400
    first, second, third = mails(pending, person, "verify")
    assert [verify(client, mail["token"]).status_code for mail in (first, second, third)] == [400, 400, 204]


def test_a_reset_verifies_the_address_and_ends_the_links_for_that(client, people, pending):
    person = people.make()
    ask(client, person.email)
    assert reset(client, mails(pending, person, "reset")[0]["token"]).status_code == 204
    assert verify(client, mails(pending, person, "verify")[0]["token"]).status_code == 400
    assert not list(mail_tokens().find({"email_key": email_key(person.email)}))


def test_links_stay_dead_when_a_disabled_account_is_enabled_again(client, people, pending):
    person, admin = people.make(), people.make("admin")
    ask(client, person.email)
    for active in (False, True):
        client.patch(f"/users/{person.id}", json={"active": active}, headers=admin.headers)
    assert reset(client, mails(pending, person, "reset")[0]["token"]).status_code == 400
    assert verify(client, mails(pending, person, "verify")[0]["token"]).status_code == 400


def test_of_a_link_and_a_change_of_the_password_at_once_one_counts(client, app, people, pending):
    for _ in range(3):
        person = people.make()
        ask(client, person.email)
        (mail,) = mails(pending, person, "reset")
        with ThreadPoolExecutor(2) as pool:
            by_link = pool.submit(reset, app.test_client(), mail["token"], "By-link-horse")
            by_hand = pool.submit(change_password, app.test_client(), person, "By-hand-horse")
        assert (by_link.result().status_code == 204) != (by_hand.result().status_code == 204)
