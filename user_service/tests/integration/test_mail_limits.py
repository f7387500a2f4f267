"""Mails with links are limited by account, recipient and client address. No answer shows whether there is an account."""

import secrets

import pytest

from user_service.api.app import limits
from user_service.store.documents import User
from user_service.store.limits.rate_limits import Limiter
from user_service.tests.integration.conftest import Person
from user_service.tests.integration.test_mail_links import ask, mails, verify
from user_service.tests.integration.test_registration import new_account


@pytest.fixture
def limit(app, config, monkeypatch):
    """`limit(verify="2/hour")` sets these limits and lifts all others."""

    def set_limits(**chosen):
        lifted = dict.fromkeys(limits(config), "off")
        monkeypatch.setitem(app.extensions, "limiter", Limiter(User._get_db(), lifted | chosen))

    return set_limits


@pytest.fixture
def environ():
    """A client's address that no other test has."""
    return {"REMOTE_ADDR": f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"}


def new_address():
    return f"n{secrets.token_hex(5)}@example.com"


def resend(client, person, environ=None):
    return client.post("/users/me/verify-email", json={}, headers=person.headers, environ_base=environ or {})


def change(client, people, person, email, environ=None):
    """A change of the address, with a token of now."""
    person = people.refresh(person)
    body = {"email": email, "password": person.password}
    answer = client.patch("/users/me", json=body, headers=person.headers, environ_base=environ or {})
    return answer, person


def test_the_verification_mail_is_sent_again_and_both_links_work_until_one_is_used(client, people, pending):
    person = people.make()
    answer = resend(client, person)
    assert (answer.status_code, answer.json) == (202, {"status": "accepted"})
    first, second = mails(pending, person, "verify")
    assert first["token"] != second["token"]
    assert second["email"] == person.email
    assert verify(client, first["token"]).status_code == 204
    assert verify(client, second["token"]).status_code == 400


def test_a_verified_address_needs_no_mail(client, people, pending):
    person = people.make()
    verify(client, mails(pending, person, "verify")[0]["token"])
    answer = resend(client, person)
    assert (answer.status_code, answer.json["code"]) == (409, "already-verified")
    assert len(mails(pending, person, "verify")) == 1


@pytest.mark.parametrize("body", [{"email": "x@example.com"}, [], "x"])
def test_a_resend_takes_an_empty_body_only(client, people, body):
    answer = client.post("/users/me/verify-email", json=body, headers=people.make().headers)
    assert answer.status_code == 400


def test_the_sixth_resend_of_an_hour_is_answered_alike_and_sends_no_mail(client, people, pending):
    person = people.make()
    answers = [resend(client, person) for _ in range(7)]
    assert {(answer.status_code, answer.data) for answer in answers} == {(202, answers[0].data)}
    assert len(mails(pending, person, "verify")) == 1 + 5


def test_the_sixth_new_address_of_an_hour_is_refused(client, people, pending):
    person = people.make()
    for _ in range(5):
        answer, person = change(client, people, person, new_address())
        assert answer.status_code == 200
    answer, person = change(client, people, person, new_address())
    assert (answer.status_code, answer.json["code"]) == (429, "too-many-attempts")
    assert 0 < int(answer.headers["Retry-After"]) <= 3600
    assert len(mails(pending, person, "verify")) == 1 + 5
    answer, _ = change(client, people, person, f"unknown-{person.email}")
    assert answer.status_code == 429


def test_there_and_back_counts_too(client, people, pending):
    person, addresses = people.make(), [new_address(), new_address()]
    statuses = []
    for number in range(8):
        answer, person = change(client, people, person, addresses[number % 2])
        statuses.append(answer.status_code)
    assert statuses == [200] * 5 + [429, 200, 429]  # the address that it has is no change


def test_resends_and_changes_count_together(client, people, pending):
    person = people.make()
    assert [resend(client, person).status_code for _ in range(5)] == [202] * 5
    answer, person = change(client, people, person, new_address())
    assert answer.status_code == 429


def test_a_change_to_the_address_of_another_account_counts(client, people):
    person, other = people.make(), people.make()
    statuses = []
    for _ in range(6):
        answer, person = change(client, people, person, other.email)
        statuses.append(answer.status_code)
    assert statuses == [409] * 5 + [429]


def test_a_refused_change_takes_no_mail_from_the_addresss_owner(client, people, pending, limit):
    limit(mails="2/hour")
    other = people.make()
    for _ in range(3):
        answer, _ = change(client, people, people.make(), other.email)
        assert answer.status_code == 409
    assert client.post("/register", json=new_account(email=other.email)).status_code == 409
    ask(client, other.email), ask(client, other.email)
    assert len(mails(pending, other, "reset")) == 2


def test_a_strangers_address_gets_few_notices(client, people, pending, limit):
    limit(mails="3/hour")
    person = people.make()
    statuses = [new_password(client, people, person) for _ in range(5)]
    assert statuses == [204] * 3 + [429] * 2
    assert len([row for row in pending(person.id) if row["topic"] == "user-notice-requested"]) == 3
    assert resend(client, people.log_in(person)).status_code == 202
    assert len(mails(pending, person, "verify")) == 1  # the notices were all mails that the address gets


def test_a_notice_to_an_address_that_was_not_verified_counts_as_its_mail(client, people, pending, limit):
    limit(mails="3/hour")
    address, statuses = new_address(), []
    for _ in range(5):
        account = new_account(email=address)
        user_id = client.post("/register", json=account).json["userId"]
        person = people.log_in(Person(user_id, account["username"], address, account["password"], {}))
        answer, person = change(client, people, person, new_address())
        statuses.append(answer.status_code)
        client.post("/users/me/delete", json={"password": person.password}, headers=people.refresh(person).headers)
    assert statuses == [200, 429, 429, 429, 429]  # two mails with links, and a notice


def test_the_owner_of_an_address_gets_a_notice_of_each_change_of_it(client, people, pending, limit):
    limit(mails="1/hour")
    person = people.make(verified=True)
    answer, person = change(client, people, person, new_address())
    assert answer.status_code == 200
    assert "user-notice-requested" in [row["topic"] for row in pending(person.id)]


def test_tags_behind_a_plus_sign_are_one_mailbox(client, people, pending, limit):
    limit(mails="3/hour")
    name, sent = f"n{secrets.token_hex(5)}", 0
    for tag in ("", "+1", "+2", "+a+b", "+3", "+4"):
        registered = client.post("/register", json=new_account(email=f"{name}{tag}@example.com"))
        assert registered.status_code == 201
        sent += [row["topic"] for row in pending(registered.json["userId"])].count("user-mail-requested")
    assert sent == 3


def test_the_owner_of_an_address_changes_the_password_as_often_as_they_like(client, people, limit):
    limit(mails="1/hour")
    person = people.make(verified=True)
    assert [new_password(client, people, person) for _ in range(3)] == [204] * 3


def new_password(client, people, person):
    """The status of a change of the password, to the one that it is."""
    body = {"current": person.password, "new": person.password}
    return client.post("/users/me/password", json=body, headers=people.log_in(person).headers).status_code


def test_a_change_of_the_name_counts_nothing(client, people, limit):
    limit(verify="1/hour", links="1/hour", mails="1/hour")
    person = people.make()
    for number in range(3):
        email = [person.email, person.email.upper()][number % 2]
        body = {"username": f"{person.username}{number}", "email": email, "password": person.password}
        person = people.refresh(person)
        assert client.patch("/users/me", json=body, headers=person.headers).status_code == 200


def test_one_recipient_gets_few_mails_from_whichever_client_they_are_requested(client, people, pending, limit):
    limit(mails="3/hour")
    email = new_address()
    account = new_account(email=email)
    user_id = client.post("/register", json=account).json["userId"]
    owner = people.log_in(Person(user_id, account["username"], email, account["password"], {}))
    assert {resend(client, owner).status_code for _ in range(2)} == {202}
    assert ask(client, email).status_code == 202
    assert [len(mails(pending, owner, kind)) for kind in ("verify", "reset")] == [3, 0]
    owner = people.log_in(owner)
    assert client.post("/users/me/delete", json={"password": owner.password}, headers=owner.headers).status_code == 204
    answer, _ = change(client, people, people.make(), email.upper())
    assert (answer.status_code, answer.json["code"]) == (429, "too-many-attempts")
    again = client.post("/register", json=new_account(email=email))
    assert again.status_code == 201
    rows = pending(again.json["userId"])
    assert [row["topic"] for row in rows] == ["user-registered"]


def test_resets_for_an_address_without_an_account_take_no_mail_from_its_owner(client, limit, pending):
    limit(mails="1/hour")
    email = new_address()
    assert {ask(client, email).status_code for _ in range(3)} == {202}
    registered = client.post("/register", json=new_account(email=email))
    assert "user-mail-requested" in [row["topic"] for row in pending(registered.json["userId"])]


def test_one_client_requests_few_mails_for_all_accounts_together(client, people, pending, limit, environ):
    limit(links="3/hour")
    someone, other, third = people.make(), people.make(), people.make()
    post = {"json": {"email": other.email}, "environ_base": environ}
    assert client.post("/password-reset", **post).status_code == 202
    assert resend(client, someone, environ).status_code == 202
    answer, third = change(client, people, third, new_address(), environ)
    assert answer.status_code == 200
    answer, third = change(client, people, third, new_address(), environ)
    assert (answer.status_code, answer.json["code"]) == (429, "too-many-attempts")
    assert client.post("/password-reset", **post).status_code == 202
    assert resend(client, someone, environ).status_code == 202
    assert len(mails(pending, other, "reset")) == 1
    assert len(mails(pending, someone, "verify")) == 2
    assert resend(client, someone).status_code == 202
    assert len(mails(pending, someone, "verify")) == 3


def test_no_answer_over_a_limit_shows_whether_there_is_an_account(client, people, limit, environ):
    limit(mails="1/hour", links="4/hour")
    known, unknown = people.make().email, new_address()
    answers = [
        client.post("/password-reset", json={"email": email}, environ_base=environ)
        for email in (known, unknown, known, unknown, known, unknown)
    ]
    assert {(answer.status_code, answer.data) for answer in answers} == {(202, answers[0].data)}


def test_off_lifts_each_limit(client, people, pending, limit):
    limit()
    person = people.make()
    assert {resend(client, person).status_code for _ in range(25)} == {202}
    assert len(mails(pending, person, "verify")) == 26
