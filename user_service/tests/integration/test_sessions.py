"""Sessions: refresh tokens that rotate, logout, and what ends tokens before their time."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import jwt
import orjson
import pytest

from libs.values.times import now
from user_service.domain.errors import SessionEnded
from user_service.domain.refresh_token import RefreshToken
from user_service.domain.session import MAX_USES
from user_service.store.documents import sessions
from user_service.tests.integration.conftest import bearer, within
from user_service.use_cases.sign_in.refresh_session import refresh_session

SECONDS = 2.0  # in which the end of a token takes effect


def refresh(client, token):
    return client.post("/token/refresh", json={"refresh": token})


def me(client, headers):
    return client.get("/users/me/sessions", headers=headers).status_code


def refused(client, headers):
    return lambda: client.get("/users/me", headers=headers).status_code == 401


def revocations(pending, person):
    return [orjson.loads(row["payload"]) for row in pending(person.id) if row["topic"] == "user-revocations"]


def claims(headers):
    return jwt.decode(headers["Authorization"].removeprefix("Bearer "), options={"verify_signature": False})


def test_a_refresh_answers_like_a_login_and_keeps_the_session(client, people):
    person = people.make("viewer")
    answer = refresh(client, person.refresh)
    assert answer.status_code == 200
    assert set(answer.json) == {"token", "expiresIn", "refresh"}
    assert answer.json["refresh"] != person.refresh
    old, new = claims(person.headers), claims(bearer(answer))
    assert (old["sid"], old["roles"]) == (new["sid"], new["roles"])
    assert old["jti"] != new["jti"]
    assert client.get("/users/me", headers=bearer(answer)).status_code == 200


class Clock:
    """The time of refreshes: it stands still but for `pass_by`."""

    def __init__(self):
        self.moment = now()

    def __call__(self):
        return self.moment

    def pass_by(self, seconds):
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr("user_service.use_cases.sign_in.refresh_session.now", clock := Clock())
    return clock


def test_a_refresh_token_that_comes_again_later_ends_the_session(client, people, pending, clock):
    person = people.make()
    second = refresh(client, person.refresh)
    clock.pass_by(10)
    assert refresh(client, person.refresh).status_code == 401
    assert refresh(client, second.json["refresh"]).status_code == 401
    (revocation,) = revocations(pending, person)
    assert (revocation["userId"], revocation["sid"]) == (person.id, claims(person.headers)["sid"])
    within(SECONDS, refused(client, bearer(second)))


@pytest.mark.usefixtures("clock")
def test_refreshes_of_two_tabs_at_once_get_the_same_successor(client, app, people):
    person = people.make()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: refresh(app.test_client(), person.refresh), range(8)))
    assert [a.status_code for a in answers] == [200] * 8
    (successor,) = {a.json["refresh"] for a in answers}
    assert [me(client, bearer(a)) for a in answers] == [200] * 8
    assert refresh(client, successor).status_code == 200


def test_a_lost_answer_is_answered_again_also_after_the_successor_was_used(client, people, clock):
    person = people.make()
    lost = refresh(client, person.refresh)
    clock.pass_by(9)
    again = refresh(client, person.refresh)
    third = refresh(client, again.json["refresh"])
    clock.pass_by(0.999)
    late = refresh(client, person.refresh)
    assert lost.json["refresh"] == again.json["refresh"] == late.json["refresh"] != third.json["refresh"]
    clock.pass_by(60)
    assert refresh(client, third.json["refresh"]).status_code == 200


def test_answering_again_does_not_lengthen_the_grace(client, people, clock):
    person = people.make()
    refresh(client, person.refresh)
    clock.pass_by(6)
    assert refresh(client, person.refresh).status_code == 200
    clock.pass_by(6)
    assert refresh(client, person.refresh).status_code == 401


@pytest.mark.usefixtures("clock")
def test_a_session_remembers_few_exchanges(client, people):
    first = person = people.make()
    for _ in range(MAX_USES + 1):
        person = people.refresh(person)
    (row,) = sessions().find({"_id": claims(person.headers)["sid"]})
    assert len(row["used"]) == MAX_USES
    assert refresh(client, first.refresh).status_code == 401


@pytest.mark.usefixtures("clock")
def test_without_a_grace_the_second_use_ends_the_session(client, people, config):
    person = people.make()
    again = {"text": person.refresh, "key": config.jwt_secret, "grace": timedelta(0)}
    refreshed = refresh_session(**again).session.refresh_token.sign(config.jwt_secret)
    with pytest.raises(SessionEnded):
        refresh_session(**again)
    assert refresh(client, refreshed).status_code == 401


@pytest.mark.parametrize("end", ["logout", "password", "disable"])
def test_the_grace_restores_no_session_that_has_ended(client, people, end):
    person, admin = people.make(), people.make("admin")
    after = people.refresh(person)
    changes = {
        "logout": lambda: client.post("/logout", json={"refresh": after.refresh}),
        "password": lambda: password(client, after, admin),
        "disable": lambda: disable(client, after, admin),
    }
    assert changes[end]().status_code in (200, 204)
    assert refresh(client, person.refresh).status_code == 401


def test_only_tokens_made_here_refresh_anything(client, people, config):
    person = people.make()
    sid, rotation, signature = person.refresh.split(".")
    access = person.headers["Authorization"].removeprefix("Bearer ")
    bad = [
        "",
        "x",
        access,
        f"{sid}.2.{signature}",
        f"{sid}.01.{signature}",
        f"{sid}.{rotation}.{'A' * 43}",
        f"{sid}.{rotation}.",
    ]
    for token in bad:
        assert refresh(client, token).status_code in (400, 401), token
    assert refresh(client, RefreshToken(sid="0" * 26, rotation=1).sign(config.jwt_secret)).status_code == 401
    assert refresh(client, person.refresh).status_code == 200  # guessing ended nothing


def test_a_session_ends_when_its_time_is_over(client, people):
    person = people.make()
    sid = claims(person.headers)["sid"]
    sessions().update_one({"_id": sid}, {"$set": {"expires_at": now() - timedelta(seconds=1)}})
    assert refresh(client, person.refresh).status_code == 401


def test_a_logout_ends_its_own_session_and_no_other(client, people):
    person = people.make()
    elsewhere = people.log_in(person)
    assert client.post("/logout", json={"refresh": person.refresh}).status_code == 204
    assert refresh(client, person.refresh).status_code == 401
    within(SECONDS, refused(client, person.headers))
    assert client.get("/users/me", headers=elsewhere.headers).status_code == 200
    assert refresh(client, elsewhere.refresh).status_code == 200


@pytest.mark.parametrize("token", ["x", "0" * 26 + ".1." + "A" * 43])
def test_a_logout_with_a_wrong_token_answers_the_same(client, token):
    assert client.post("/logout", json={"refresh": token}).status_code == 204


def test_a_login_in_the_second_of_a_logout_works(client, people):
    person = people.make()
    while time.time() % 1 > 0.7:  # so that all of it fits into one second
        time.sleep(0.01)
    second = int(time.time())
    assert client.delete("/users/me/sessions", headers=person.headers).status_code == 204
    again = people.log_in(person)
    assert int(claims(again.headers)["iat"]) == second
    within(SECONDS, refused(client, person.headers))
    assert client.get("/users/me", headers=again.headers).status_code == 200


def test_an_owner_lists_the_sessions_and_ends_one(client, people):
    person = people.make()
    other = people.log_in(person)
    answer = client.get("/users/me/sessions", headers=other.headers)
    newest, oldest = answer.json["results"]
    assert (newest["current"], oldest["current"]) == (True, False)
    assert newest["address"] == "127.0.0.1"
    assert newest["agent"].startswith("Werkzeug")
    assert client.delete(f"/users/me/sessions/{oldest['id']}", headers=other.headers).status_code == 204
    within(SECONDS, refused(client, person.headers))
    assert [s["id"] for s in client.get("/users/me/sessions", headers=other.headers).json["results"]] == [newest["id"]]


def test_anothers_sessions_do_not_exist(client, people):
    person, other = people.make(), people.make()
    sid = claims(other.headers)["sid"]
    assert client.delete(f"/users/me/sessions/{sid}", headers=person.headers).status_code == 404
    assert refresh(client, other.refresh).status_code == 200


def test_the_list_of_sessions_pages(client, people):
    person = people.make()
    person = people.log_in(people.log_in(person))
    first = client.get("/users/me/sessions?limit=2", headers=person.headers).json
    second = client.get(first["next"], headers=person.headers).json
    assert [len(first["results"]), len(second["results"])] == [2, 1]
    assert client.get("/users/me/sessions?limit=0", headers=person.headers).status_code == 400


def password(client, person, _admin):
    body = {"current": person.password, "new": "Another-horse"}
    return client.post("/users/me/password", json=body, headers=person.headers)


def everywhere(client, person, _admin):
    return client.delete("/users/me/sessions", headers=person.headers)


def disable(client, person, admin):
    return client.patch(f"/users/{person.id}", json={"active": False}, headers=admin.headers)


def delete(client, person, admin):
    return client.delete(f"/users/{person.id}", headers=admin.headers)


@pytest.mark.parametrize("change", [password, everywhere, disable, delete])
def test_what_ends_all_sessions(client, people, pending, change):
    person, admin = people.make(), people.make("admin")
    other = people.log_in(person)
    assert change(client, person, admin).status_code in (200, 204)
    for session in (person, other):
        assert refresh(client, session.refresh).status_code == 401
        within(SECONDS, refused(client, session.headers))
    (revocation,) = revocations(pending, person)
    assert revocation["sid"] is None
    assert claims(other.headers)["iat"] * 1000 < revocation["notBefore"] <= time.time() * 1000 + 1


def test_new_roles_end_tokens_and_the_session_goes_on_with_them(client, people, pending):
    person, admin = people.make(), people.make("admin")
    client.patch(f"/users/{person.id}", json={"roles": ["staff"]}, headers=admin.headers)
    within(SECONDS, refused(client, person.headers))
    answer = refresh(client, person.refresh)
    assert claims(bearer(answer))["roles"] == ["staff"]
    assert client.get("/users", headers=bearer(answer)).status_code == 200
    assert [revocation["sid"] for revocation in revocations(pending, person)] == [None]


def test_no_token_outlives_a_change_that_it_races_with(client, app, people):
    """Logins, refreshes and a password change at once: what was made of the old account ends with it."""
    for _ in range(5):
        person = people.make()
        with ThreadPoolExecutor(6) as pool:
            logins = [pool.submit(app.test_client().post, "/login", json=person.credentials) for _ in range(2)]
            again = pool.submit(refresh, app.test_client(), person.refresh)
            changed = pool.submit(password, app.test_client(), person, None)
        assert changed.result().status_code == 204
        answers = [a for a in (again.result(), *(login.result() for login in logins)) if a.status_code == 200]
        time.sleep(1.1)  # one look at the revocations
        for answer in answers:
            assert refresh(client, answer.json["refresh"]).status_code == 401
            assert client.get("/users/me", headers=bearer(answer)).status_code == 401


def test_an_account_has_at_most_a_hundred_sessions(client, people, monkeypatch):
    monkeypatch.setattr("user_service.use_cases.sign_in.log_in.MAX_SESSIONS", 3)
    first = person = people.make()
    for _ in range(3):
        person = people.log_in(person)
    assert len(client.get("/users/me/sessions", headers=person.headers).json["results"]) == 3
    assert refresh(client, replace(first).refresh).status_code == 401


@pytest.mark.parametrize("end", ["logout", "all", "password", "delete", "disable"])
def test_a_token_ends_with_its_session_also_after_the_database_s_clock_was_set_back(
    client, people, pending, monkeypatch, end
):
    """Its `iat` is later than the time at which it ends."""
    ahead = [now() + timedelta(seconds=20)]
    for module in ("log_in", "refresh_session"):
        monkeypatch.setattr(f"user_service.use_cases.sign_in.{module}.now", lambda: ahead[0])
    admin, person = people.make("admin"), people.make()
    ahead[0] += timedelta(seconds=5)
    person = people.refresh(person)
    issued = round(claims(person.headers)["iat"] * 1000)
    ends = {
        "logout": lambda: client.post("/logout", json={"refresh": person.refresh}),
        "all": lambda: client.delete("/users/me/sessions", headers=person.headers),
        "password": lambda: client.post(
            "/users/me/password",
            json={"current": person.password, "new": "Other-horse-battery"},
            headers=person.headers,
        ),
        "delete": lambda: client.post("/users/me/delete", json={"password": person.password}, headers=person.headers),
        "disable": lambda: client.patch(f"/users/{person.id}", json={"active": False}, headers=admin.headers),
    }
    assert ends[end]().status_code in (200, 204)
    (revocation,) = revocations(pending, person)
    assert revocation["notBefore"] == issued + 1
    within(SECONDS, refused(client, person.headers))
