"""A user's own account, over HTTP on a real database."""

from dataclasses import replace

import pytest

from libs.access.tokens import AccessTokens
from libs.mongo_store.outbox import MongoOutbox
from user_service.store.documents import User, users
from user_service.tests.integration.conftest import bearer, within

AT_REGISTRATION = 2  # events: the account, and the mail that asks to verify its address


def login(client, email, password):
    return client.post("/login", json={"email": email, "password": password}).status_code


def delete_me(client, person, **body):
    return client.post("/users/me/delete", json={"password": person.password} | body, headers=person.headers)


def test_one_reads_ones_own_account_and_never_the_hash(client, people):
    me = people.make()
    answer = client.get("/users/me", headers=me.headers)
    assert set(answer.json) == {
        "id",
        "username",
        "email",
        "roles",
        "active",
        "emailVerified",
        "createdAt",
        "updatedAt",
        "secondFactor",
    }
    assert (answer.json["id"], answer.json["email"]) == (me.id, me.email)
    assert answer.json["createdAt"].endswith("Z")


def test_changing_the_name_publishes_the_new_state_with_the_next_number(client, people, pending):
    me = people.make()
    answer = client.patch("/users/me", json={"username": f"n{me.username}"}, headers=me.headers)
    assert answer.json["username"] == f"n{me.username}"
    rows = pending(me.id)
    assert [(row["topic"], row["sequence"]) for row in rows[2:]] == [("user-updated", 3)]


def test_a_change_that_changes_nothing_publishes_nothing(client, people, pending):
    me = people.make()
    assert client.patch("/users/me", json={}, headers=me.headers).status_code == 200
    assert (
        client.patch("/users/me", json={"email": me.email, "password": me.password}, headers=me.headers).status_code
        == 200
    )
    assert len(pending(me.id)) == AT_REGISTRATION


def test_another_ones_name_can_not_be_taken_and_nothing_is_published(client, people, pending):
    me, other = people.make(), people.make()
    answer = client.patch("/users/me", json={"username": other.username.upper()}, headers=me.headers)
    assert (answer.status_code, answer.json["code"]) == (409, "username-taken")
    assert len(pending(me.id)) == AT_REGISTRATION


def test_roles_are_not_ones_own_to_give(client, people):
    me = people.make()
    assert client.patch("/users/me", json={"roles": ["admin"]}, headers=me.headers).status_code == 400


def test_a_password_change_needs_the_current_one(client, people):
    me = people.make()
    refused = client.post("/users/me/password", json={"current": "wrong", "new": "Another-horse"}, headers=me.headers)
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (400, "current")
    done = client.post("/users/me/password", json={"current": me.password, "new": "Another-horse"}, headers=me.headers)
    assert done.status_code == 204
    assert login(client, me.email, me.password) == 401
    assert login(client, me.email, "Another-horse") == 200


def test_a_deleted_account_is_erased_and_name_and_address_are_free(client, people, pending):
    me = people.make()
    assert delete_me(client, me).status_code == 204
    assert client.get("/users/me", headers=me.headers).status_code == 401
    assert login(client, me.email, me.password) == 401
    assert [row["topic"] for row in pending(me.id)] == ["user-deleted", "user-revocations"]
    again = {"username": me.username, "email": me.email, "password": me.password}
    assert client.post("/register", json=again).status_code == 201


def test_a_deleted_account_keeps_no_personal_data(client, people, app):
    me = people.make()
    delete_me(client, me)
    (kept,) = users().find({"username": {"$regex": f"^gone-{me.id}"}}, {"_id": 0})
    assert me.username not in str(kept)
    assert me.email not in str(kept)
    assert "password_hash" not in kept


PUBLIC = {"user-deleted", "user-revocations"}


def test_no_event_that_waits_or_was_refused_keeps_data_of_a_deleted_account(client, people, pending):
    me, other, outbox = people.make(), people.make(), MongoOutbox(User._get_db())
    client.patch("/users/me", json={"username": f"n{me.username}"}, headers=me.headers)
    client.post("/users/me/password", json={"current": me.password, "new": "Another-horse"}, headers=me.headers)
    me = people.log_in(replace(me, password="Another-horse"))
    dead = [row for row in outbox.pending(10_000) if row.aggregate_id == me.id][::2]
    for row in dead:
        outbox.move_to_dead(row, "MSG_SIZE_TOO_LARGE")
    assert delete_me(client, me).status_code == 204
    kept = [row for name in ("outbox", "outbox_dead") for row in User._get_db()[name].find({"aggregate_id": me.id})]
    assert {row["topic"] for row in kept} == PUBLIC
    assert not [row for row in kept if me.email in row["payload"] or me.username in row["payload"]]
    assert len(pending(other.id)) == AT_REGISTRATION


def test_a_reset_for_a_deleted_account_stores_nothing_of_its_address(client, people):
    me = people.make()
    delete_me(client, me)
    assert client.post("/password-reset", json={"email": me.email}).status_code == 202
    db = User._get_db()
    kept = [row for name in db.list_collection_names() for row in db[name].find({}) if "revocations" not in name]
    assert me.email.lower() not in str(kept).lower()


def test_without_a_token_there_is_no_account(client):
    answer = client.get("/users/me")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_of_another_shop_is_refused(client, people, config):
    me = people.make()
    forged = AccessTokens(config.jwt_secret, "another-shop", "microshop")
    token = forged.mint(user_id=me.id, email=me.email, username=me.username, roles=["admin"])
    assert client.get("/users/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def change_email(client, person, **body):
    return client.patch("/users/me", json=body, headers=person.headers)


@pytest.mark.parametrize("password", [None, "wrong-password"])
def test_a_change_of_address_and_a_deletion_need_the_password(client, people, pending, password):
    me = people.make()
    body = {} if password is None else {"password": password}
    code = "missing" if password is None else "wrong-password"
    for answer in (
        change_email(client, me, email=f"new-{me.email}", **body),
        change_email(client, me, email=me.email, **body),
        client.post("/users/me/delete", json=body, headers=me.headers),
    ):
        assert answer.status_code == 400
        assert [(e["field"], e["code"]) for e in answer.json["errors"]] == [("password", code)]
    assert len(pending(me.id)) == AT_REGISTRATION
    answer = client.delete("/users/me", headers=me.headers)
    assert (answer.status_code, "DELETE" in answer.headers["Allow"]) == (405, False)


def test_a_new_address_ends_access_tokens_and_no_session(client, people):
    me = people.make()
    assert change_email(client, me, email=f"new-{me.email}", password=me.password).status_code == 200
    within(2, lambda: client.get("/users/me", headers=me.headers).status_code == 401)
    answer = client.post("/token/refresh", json={"refresh": me.refresh})
    assert client.get("/users/me", headers=bearer(answer)).json["email"] == f"new-{me.email}"


def test_a_name_and_an_address_are_changed_together_or_not_at_all(client, people):
    me, other = people.make(), people.make()
    both = {"username": f"n{me.username}", "email": other.email, "password": me.password}
    assert change_email(client, me, **both).json["code"] == "email-taken"
    assert client.get("/users/me", headers=me.headers).json["username"] == me.username
    answer = change_email(client, me, **both | {"email": f"new-{me.email}"})
    assert (answer.json["username"], answer.json["email"]) == (f"n{me.username}", f"new-{me.email}")


def test_passwords_that_are_asked_for_again_count_as_logins(client, people):
    me = people.make()
    wrong = {"password": "wrong-password"}
    statuses = [change_email(client, me, email=me.email, **wrong).status_code for _ in range(3)]
    statuses += [client.post("/users/me/delete", json=wrong, headers=me.headers).status_code for _ in range(3)]
    assert statuses == [400] * 5 + [429]
    assert login(client, me.email, me.password) == 429


def test_another_address_sets_no_count_to_zero(client, people):
    me = people.make()
    assert change_email(client, me, email=f"new-{me.email}", password=me.password).status_code == 200
    assert [login(client, f"new-{me.email}", "wrong-password") for _ in range(5)] == [401] * 5
    users().update_one({"username": me.username}, {"$set": {"email": "x", "email_key": f"{me.username}@x.example"}})
    assert login(client, f"{me.username}@x.example", me.password) == 429
