"""A second factor: set up, used, lost."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest

from libs.values.times import now
from user_service.__main__ import approve_totp
from user_service.store.documents import User, users
from user_service.store.limits.rate_limits import Limiter
from user_service.tests.integration.conftest import bearer
from user_service.tests.integration.test_sessions import claims
from user_service.use_cases.sign_in.approve_second_factor import approve_second_factor_of


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


def remove(client, person, code):
    return client.post(
        "/users/me/totp/remove", json={"password": person.password, "code": code}, headers=person.headers
    )


def wrong_code(client, person, **environ):
    body = person.credentials | {"code": "000000"}
    return client.post("/login", json=body, environ_base=environ).status_code


def test_an_account_says_whether_it_has_one(client, people):
    person, viewer = people.make(verified=True), people.make("viewer")
    assert client.get("/users/me", headers=person.headers).json["secondFactor"] is False
    secret = offer(client, person).json["secret"]
    assert client.get("/users/me", headers=person.headers).json["secondFactor"] is False
    assert confirm(client, person, pyotp.TOTP(secret).now()).status_code == 200
    assert client.get(f"/users/{person.id}", headers=viewer.headers).json["secondFactor"] is True


def test_an_address_is_verified_before_an_authenticator_is_added(client, people):
    person = people.make()
    answer = offer(client, person)
    assert (answer.status_code, answer.json["code"]) == (409, "email-not-verified")
    person = people.make(verified=True)
    secret = offer(client, person).json["secret"]
    users().update_one({"username": person.username}, {"$set": {"email_verified": False}})
    answer = confirm(client, person, pyotp.TOTP(secret).now())
    assert (answer.status_code, answer.json["code"]) == (409, "email-not-verified")


def test_an_offer_ends_after_ten_minutes(client, people):
    person = people.make(verified=True)
    totp, row = pyotp.TOTP(offer(client, person).json["secret"]), {"username": person.username}
    left = users().find_one(row)["totp_offer_expires_at"] - now()
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    for change in ({"$set": {"totp_offer_expires_at": now()}}, {"$unset": {"totp_offer_expires_at": ""}}):
        users().update_one(row, change)
        assert confirm(client, person, totp.now()).json["code"] == "no-second-factor"


def test_codes_of_a_confirmation_are_limited_as_those_of_logins(client, people):
    person = people.make(verified=True)
    totp = pyotp.TOTP(offer(client, person).json["secret"])
    assert [confirm(client, person, "000000").status_code for _ in range(20)] == [400] * 20
    assert confirm(client, person, totp.now()).status_code == 429


def test_a_used_code_does_not_remove_it_and_counts_as_a_wrong_one(client, people):
    person, totp, codes = set_up(client, people)
    code = totp.now()
    again = people.log_in(person, code=code)
    for _ in range(20):
        answer = remove(client, again, code)
        assert (answer.status_code, answer.json["errors"][0]["code"]) == (400, "wrong-code")
    assert remove(client, again, codes[0]).status_code == 429


def test_a_replayed_code_does_not_clear_the_count(client, app, people):
    person, totp, _ = set_up(client, people)
    code = totp.now()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: login(app.test_client(), person, code=code).status_code, range(4)))
    assert sorted(answers) == [200, 401, 401, 401]
    wrong = [login(client, person, code=code).status_code for _ in range(21)]
    assert 17 <= wrong.count(401) <= 20
    assert wrong[-1] == 429


def test_another_address_does_not_clear_the_count_of_wrong_codes(client, people):
    person, totp, _ = set_up(client, people)
    person = people.log_in(person, code=totp.now())
    assert [wrong_code(client, person, REMOTE_ADDR=f"192.0.2.{n // 4}") for n in range(20)] == [401] * 20
    body = {"email": f"new-{person.email}", "password": person.password}
    assert client.patch("/users/me", json=body, headers=person.headers).status_code == 200
    person.email = body["email"]
    assert wrong_code(client, person) == 429


def test_the_limit_of_codes_is_a_setting(client, app, people, monkeypatch):
    limits = dict.fromkeys(("register", "login", "reset", "failures"), "off") | {"code": "1/hour"}
    person, totp, _ = set_up(client, people)
    monkeypatch.setitem(app.extensions, "limiter", Limiter(User._get_db(), limits))
    assert [wrong_code(client, person), wrong_code(client, person)] == [401, 429]
    monkeypatch.setitem(app.extensions, "limiter", Limiter(User._get_db(), limits | {"code": "off"}))
    assert login(client, person, code=totp.now()).status_code == 200


@pytest.fixture
def required(app, config, monkeypatch):
    monkeypatch.setitem(app.extensions, "config", config.model_copy(update={"staff_totp": "required"}))


def admin_with_authenticator(client, people):
    admin = people.make("admin", verified=True)
    approve_second_factor_of(email=admin.email)
    totp = pyotp.TOTP(offer(client, admin).json["secret"])
    assert confirm(client, admin, totp.at(time.time() - 30)).status_code == 200
    return people.log_in(admin, code=totp.now())


def test_where_it_is_required_an_admin_approves_one_enrolment(client, people, required):
    admin, staff = admin_with_authenticator(client, people), people.make("staff", verified=True)
    answer = offer(client, staff)
    assert (answer.status_code, answer.json["code"]) == (403, "approval-required")
    approval = f"/users/{staff.id}/totp/approval"
    assert client.post(approval, headers=staff.headers).status_code == 403
    refused = client.post(approval, json={"role": "admin"}, headers=admin.headers)
    assert (refused.status_code, [row["field"] for row in refused.json["errors"]]) == (400, ["role"])
    assert offer(client, staff).json["code"] == "approval-required"
    assert client.post(approval, headers=admin.headers).status_code == 204
    totp = pyotp.TOTP(offer(client, staff).json["secret"])
    assert confirm(client, staff, totp.now()).status_code == 200
    assert client.post(approval, headers=admin.headers).json["code"] == "has-second-factor"
    assert client.delete(f"/users/{staff.id}/totp", headers=admin.headers).status_code == 204
    assert offer(client, people.log_in(staff)).json["code"] == "approval-required"


def test_an_approval_ends_after_a_day_and_is_asked_for_at_the_confirmation_too(client, people, required):
    staff = people.make("staff", verified=True)
    approve_second_factor_of(email=staff.email)
    totp, row = pyotp.TOTP(offer(client, staff).json["secret"]), {"username": staff.username}
    left = users().find_one(row)["totp_approved_until"] - now()
    assert timedelta(hours=23) < left <= timedelta(hours=24)
    users().update_one(row, {"$set": {"totp_approved_until": now()}})
    assert confirm(client, staff, totp.now()).json["code"] == "approval-required"
    assert offer(client, staff).json["code"] == "approval-required"


def test_an_admin_can_not_approve_the_own_account_and_customers_need_no_approval(client, people, required):
    admin, customer = admin_with_authenticator(client, people), people.make(verified=True)
    assert client.post(f"/users/{admin.id}/totp/approval", headers=admin.headers).json["code"] == "own-account"
    assert client.post(f"/users/{'0' * 24}/totp/approval", headers=admin.headers).status_code == 404
    assert offer(client, customer).status_code == 200


def test_the_first_admin_is_approved_by_a_command(client, people, config, required, capsys):
    admin = people.make("admin", verified=True)
    assert approve_totp(config, ["--email", f" {admin.email.upper()}"]) == 0
    assert offer(client, admin).status_code == 200
    assert approve_totp(config, ["--email", "unknown@example.com"]) == 1
    assert "No user" in capsys.readouterr().err


def test_who_lost_the_authenticator_and_guessed_too_often_can_add_another_one_at_once(client, people):
    person, admin = people.make(verified=True), people.make("admin")
    totp = pyotp.TOTP(offer(client, person).json["secret"])
    assert confirm(client, person, totp.now()).status_code == 200
    wrong = [client.post("/login", json=person.credentials | {"code": "wrong-code"}).status_code for _ in range(21)]
    assert wrong[-1] == 429
    assert client.delete(f"/users/{person.id}/totp", headers=admin.headers).status_code == 204
    person = people.log_in(person)
    totp = pyotp.TOTP(offer(client, person).json["secret"])
    assert confirm(client, person, totp.now()).status_code == 200
