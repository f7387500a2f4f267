"""Registration and login, over HTTP on a real database."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import jwt
import orjson
import pytest
from argon2 import PasswordHasher
from structlog.testing import capture_logs

from user_service.store.documents import users


def new_account(**changes):
    tag = secrets.token_hex(5)
    return {"username": f"u{tag}", "email": f"u{tag}@example.com", "password": f"Correct-horse-{tag}"} | changes


def test_registering_stores_the_account_and_its_event_together(client, pending):
    account = new_account()
    answer = client.post("/register", json=account)
    assert answer.status_code == 201
    assert answer.json["status"] == "User created"
    row, mail = pending(answer.json["userId"])
    assert (row["topic"], row["sequence"]) == ("user-registered", 1)
    assert orjson.loads(row["payload"])["email"] == account["email"]
    assert (mail["topic"], mail["sequence"]) == ("user-mail-requested", 2)


@pytest.mark.parametrize(("field", "code"), [("email", "email-taken"), ("username", "username-taken")])
def test_names_are_taken_whatever_their_case(client, field, code):
    first = new_account()
    client.post("/register", json=first)
    answer = client.post("/register", json=new_account(**{field: first[field].upper()}))
    assert (answer.status_code, answer.json["code"]) == (409, code)


def test_of_many_who_want_one_name_at_once_one_gets_it(client, app, pending):
    accounts = [new_account(username="U" + secrets.token_hex(4))] * 8
    accounts = [account | {"email": f"{n}{account['email']}"} for n, account in enumerate(accounts)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda account: app.test_client().post("/register", json=account), accounts))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] + [409] * 7
    winner = next(a.json["userId"] for a in answers if a.status_code == 201)
    assert len(pending(winner)) == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": "ab"}, "username"),
        ({"username": "a" * 31}, "username"),
        ({"username": "with space"}, "username"),
        ({"username": "line\nbreak"}, "username"),
        ({"username": {"$gt": ""}}, "username"),
        ({"email": "no-at"}, "email"),
        ({"email": "a" * 250 + "@example.com"}, "email"),
        ({"email": "a@example.com\r\nBcc: b@example.com"}, "email"),
        ({"email": {"$gt": ""}}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"password": "Password1"}, "password"),
        ({"password": 12345678}, "password"),
        ({"roles": ["admin"]}, "roles"),
    ],
)
def test_bad_fields_are_named(client, changes, field):
    answer = client.post("/register", json=new_account(**changes))
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert field in [error["field"] for error in answer.json["errors"]]


def test_a_login_gives_a_token_with_the_claims_of_the_contract(client, people, config):
    person = people.make("viewer")
    answer = client.post("/login", json={"email": person.email.lower(), "password": person.password})
    assert answer.json["expiresIn"] == 900
    secret = config.jwt_secret.get_secret_value()
    claims = jwt.decode(answer.json["token"], secret, algorithms=["HS256"], audience="microshop", issuer="microshop")
    assert claims["user_id"] == claims["sub"] == person.id
    assert (claims["email"], claims["username"], claims["roles"]) == (person.email, person.username, ["viewer"])
    assert claims["token_type"] == "access"
    assert claims["jti"]
    assert claims["exp"] - int(claims["iat"]) == 900


def test_unknown_wrong_and_disabled_look_alike(client, people):
    person, admin = people.make(), people.make("admin")
    wrong = client.post("/login", json={"email": person.email, "password": "wrong-password"})
    unknown = client.post("/login", json={"email": "unknown@example.com", "password": "wrong-password"})
    client.patch(f"/users/{person.id}", json={"active": False}, headers=admin.headers)
    disabled = client.post("/login", json={"email": person.email, "password": person.password})
    shapes = {tuple(sorted((k, v) for k, v in a.json.items() if k != "requestId")) for a in (wrong, unknown, disabled)}
    assert len(shapes) == 1
    assert wrong.status_code == 401


def test_every_login_logs_a_line_without_names(client, people):
    person = people.make()
    with capture_logs() as lines:
        client.post("/login", json=person.credentials | {"password": "wrong-password"})
        client.post("/login", json=person.credentials | {"email": f"unknown-{person.email}"})
        client.post("/login", json=person.credentials)
    logged = [(line["event"], line.get("reason"), line["user"]) for line in lines if "user" in line]
    assert logged == [
        ("login refused", "password", person.id),
        ("login refused", "password", None),
        ("logged in", None, person.id),
    ]
    assert not [secret for secret in (person.email, person.password, "wrong-password") if secret in str(lines)]


def test_operators_are_no_credentials(client):
    assert client.post("/login", json={"email": {"$gt": ""}, "password": {"$gt": ""}}).status_code == 400


def test_a_hash_of_yesterdays_parameters_is_made_anew_at_the_login(client, people):
    person = people.make()
    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(person.password)
    users().update_one({"username": person.username}, {"$set": {"password_hash": old}})
    for _ in range(2):
        assert client.post("/login", json=person.credentials).status_code == 200
    assert users().find_one({"username": person.username})["password_hash"].startswith("$argon2id$v=19$m=7168,t=5,p=1$")


def test_a_password_is_accepted_in_each_form_that_unicode_has_for_it(client):
    account = new_account(password="Gro\u0308sse\u00a0Horse")
    assert client.post("/register", json=account).status_code == 201
    for typed in ("Gr\u00f6sse Horse", "Gro\u0308sse\u00a0Horse", "Gro\u0308sse\u3000Horse"):
        body = {"email": account["email"], "password": typed}
        assert client.post("/login", json=body).status_code == 200, typed


def test_a_password_of_before_is_accepted_as_it_was_typed(client, people):
    person, old = people.make(), "Gro\u0308sse\u200bHorse"
    users().update_one({"username": person.username}, {"$set": {"password_hash": PasswordHasher().hash(old)}})
    assert client.post("/login", json=person.credentials | {"password": old}).status_code == 200


@pytest.mark.parametrize("name", ["username", "email", "local", "shop"])
def test_ones_own_names_are_no_password(client, people, config, name, pending):
    tag = f"U{secrets.token_hex(5)}"
    email = f"{tag}.x@Example.com"
    guess = {"username": tag, "email": email, "local": f"{tag}.x", "shop": config.shop_name}[name].upper()
    account = {"username": tag, "email": email, "password": f" {guess}"}
    answer = client.post("/register", json=account)
    assert [(e["field"], e["code"]) for e in answer.json["errors"]] == [("password", "guessable-password")]
    assert client.post("/register", json=account | {"password": "Correct-horse"}).status_code == 201
    token = client.post("/login", json={"email": email, "password": "Correct-horse"}).json["token"]
    headers = {"Authorization": f"Bearer {token}"}
    body = {"current": "Correct-horse", "new": guess}
    answer = client.post("/users/me/password", json=body, headers=headers)
    assert [(e["field"], e["code"]) for e in answer.json["errors"]] == [("new", "guessable-password")]
    user_id = client.get("/users/me", headers=headers).json["id"]
    client.post("/password-reset", json={"email": email})
    link = orjson.loads(pending(user_id)[-1]["payload"])["token"]
    answer = client.post("/password-reset/confirm", json={"token": link, "password": guess})
    assert [(e["field"], e["code"]) for e in answer.json["errors"]] == [("password", "guessable-password")]
    answer = client.post("/password-reset/confirm", json={"token": link, "password": "Another-horse"})
    assert answer.status_code == 204
