"""A second factor: set up, used, lost."""

import time

import pyotp
import pytest

from user_service.store.documents import User
from user_service.tests.integration.conftest import bearer
from user_service.tests.integration.test_sessions import claims
from user_service.use_cases.approve_second_factor import approve_second_factor_of


def offer(client, person):
    return client.post("/users/me/totp", json={"password": person.password}, headers=person.headers)


def confirm(client, person, code):
    return client.post("/users/me/totp/confirm", json={"code": code}, headers=person.headers)


def set_up(client, people, *roles):
    """Somebody with an authenticator, that, and the recovery codes."""
    person = people.make(*roles, verified=True)
    totp = pyotp.TOTP(offer(client, person).json["secret"])
    answer = confirm(
        client, person, totp.at(time.time() - 30)
    )  # the code before: the present one is left to log in with
    assert answer.status_code == 200, answer.json
    return person, totp, answer.json["recoveryCodes"]


def login(client, person, **more):
    return client.post("/login", json=person.credentials | more)


def test_an_authenticator_counts_once_it_showed_a_code(client, people):
    person = people.make("staff", verified=True)
    offered = offer(client, person)
    assert offered.json["uri"].startswith("otpauth://totp/MicroShop:")
    assert login(client, person).status_code == 200
    wrong = confirm(client, person, "000000")
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (400, "code")
    totp = pyotp.TOTP(offered.json["secret"])
    assert len(set(confirm(client, person, totp.now()).json["recoveryCodes"])) == 10
    answer = login(client, person)
    assert (answer.status_code, answer.json["code"]) == (401, "code-required")
    assert client.post("/token/refresh", json={"refresh": person.refresh}).status_code == 401


def test_a_login_needs_password_and_code(client, people):
    person, totp, _ = set_up(client, people, "staff")
    wrong = client.post("/login", json={"email": person.email, "password": "wrong-password", "code": totp.now()})
    assert (wrong.status_code, wrong.json["code"]) == (401, "wrong-credentials")
    assert login(client, person, code="000000").json["code"] == "wrong-credentials"
    assert claims(bearer(login(client, person, code=totp.now())))["roles"] == ["staff"]


def test_a_code_works_once(client, people):
    person, totp, _ = set_up(client, people)
    code = totp.now()
    assert login(client, person, code=code).status_code == 200
    assert login(client, person, code=code).status_code == 401


def test_a_recovery_code_works_once_in_any_spelling(client, people):
    person, _, codes = set_up(client, people)
    assert login(client, person, code=codes[0].upper().replace("-", "")).status_code == 200
    assert login(client, person, code=codes[0]).status_code == 401
    assert login(client, person, code=codes[1]).status_code == 200


def test_codes_can_not_be_guessed_from_everywhere(client, people):
    person, totp, _ = set_up(client, people)
    statuses = []
    for address in range(5):
        environ = {"REMOTE_ADDR": f"192.0.2.{address}"}
        body = person.credentials | {"code": "000000"}
        statuses += [client.post("/login", json=body, environ_base=environ).status_code for _ in range(5)]
    assert statuses == [401] * 20 + [429] * 5
    assert login(client, person, code=totp.now()).status_code == 429


def test_logins_without_a_code_do_not_lock_the_owner_out(client, people):
    person, totp, _ = set_up(client, people)
    assert {login(client, person).status_code for _ in range(8)} == {401}
    assert login(client, person, code=totp.now()).status_code == 200


def test_a_second_authenticator_replaces_none(client, people):
    person, totp, _ = set_up(client, people)
    again = people.log_in(person, code=totp.now())
    assert offer(client, again).status_code == 409
    assert confirm(client, again, "000000").status_code == 409


def test_setting_up_needs_the_password(client, people):
    person = people.make()
    body = {"password": "wrong-password"}
    answer = client.post("/users/me/totp", json=body, headers=person.headers)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "password")


def test_removing_it_needs_password_and_code(client, people):
    person, totp, codes = set_up(client, people)
    again = people.log_in(person, code=totp.now())

    def remove(**body):
        return client.post("/users/me/totp/remove", json=body, headers=again.headers)

    assert remove(password="wrong-password", code=codes[0]).json["errors"][0]["field"] == "password"
    assert remove(password=person.password, code="000000").json["errors"][0]["field"] == "code"
    assert remove(password=person.password, code=codes[0]).status_code == 204
    assert login(client, person).status_code == 200


def test_an_admin_removes_it_for_an_owner_who_lost_it(client, people):
    (person, _, _), staff, admin = set_up(client, people), people.make("staff"), people.make("admin")
    assert client.delete(f"/users/{person.id}/totp", headers=staff.headers).status_code == 403
    assert client.delete(f"/users/{person.id}/totp", headers=admin.headers).status_code == 204
    assert client.delete(f"/users/{person.id}/totp", headers=admin.headers).status_code == 409
    assert login(client, person).status_code == 200


def test_where_it_is_required_roles_count_only_with_it(client, people, app, config, monkeypatch):
    monkeypatch.setitem(app.extensions, "config", config.model_copy(update={"staff_totp": "required"}))
    person = people.make("admin", verified=True)
    assert claims(person.headers)["roles"] == []
    assert client.get("/users", headers=person.headers).status_code == 403
    approve_second_factor_of(email=person.email)
    totp = pyotp.TOTP(offer(client, person).json["secret"])
    assert confirm(client, person, totp.at(time.time() - 30)).status_code == 200
    again = people.log_in(person, code=totp.now())
    assert client.get("/users", headers=again.headers).status_code == 200
    answer = client.post("/token/refresh", json={"refresh": again.refresh})
    assert claims(bearer(answer))["roles"] == ["admin"]


def test_the_secret_can_not_be_read_afterwards(client, people):
    person, totp, codes = set_up(client, people)
    again = people.log_in(person, code=totp.now())
    assert totp.secret not in client.get("/users/me", headers=again.headers).text
    kept = str(User._get_db()["users"].find_one({"username": person.username}))
    assert codes[5] not in kept
    assert codes[5].replace("-", "") not in kept


@pytest.mark.parametrize("code", ["", "12345", "x" * 21, 123456, "\u0661" * 6])
def test_odd_codes_are_refused(client, people, code):
    person, _, _ = set_up(client, people)
    assert login(client, person, code=code).status_code in (400, 401)
