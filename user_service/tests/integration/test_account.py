"""A user's own account, over HTTP on a real database."""

from libs.access.tokens import AccessTokens
from user_service.store.documents import users

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
    assert [row["topic"] for row in pending(me.id)[AT_REGISTRATION:]] == ["user-deleted", "user-revocations"]
    again = {"username": me.username, "email": me.email, "password": me.password}
    assert client.post("/register", json=again).status_code == 201


def test_a_deleted_account_keeps_no_personal_data(client, people, app):
    me = people.make()
    delete_me(client, me)
    (kept,) = users().find({"username": {"$regex": f"^gone-{me.id}"}}, {"_id": 0})
    assert me.username not in str(kept)
    assert me.email not in str(kept)
    assert "password_hash" not in kept


def test_without_a_token_there_is_no_account(client):
    answer = client.get("/users/me")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_of_another_shop_is_refused(client, people, config):
    me = people.make()
    forged = AccessTokens(config.jwt_secret, "another-shop", "microshop")
    token = forged.mint(user_id=me.id, email=me.email, username=me.username, roles=["admin"])
    assert client.get("/users/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
