"""Writes of accounts that race with other writes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import orjson
import pytest
from bson import ObjectId

from libs.access.caller import Caller
from libs.values.email_address import EmailAddress
from user_service.domain.mail_token import MailToken
from user_service.events.published import UserUpdated
from user_service.store import documents, users
from user_service.store.limits.rate_limits import Limiter, LoginLimits
from user_service.use_cases.accounts.update_account import change_email, change_username
from user_service.use_cases.accounts.verify_email import verify_email
from user_service.use_cases.manage_account import set_roles

ADMIN = Caller("0" * 24, "admin@example.com", "admin", ("admin",))


def caller_of(person):
    return Caller(person.id, person.email, person.username)


def test_an_update_of_an_account_that_has_changed_writes_nothing(people, pending):
    person = people.make()
    before = users.find(person.id)
    assert users.update(before, before.with_roles(["viewer"]), UserUpdated.of(before), tokens="renew")
    rows = pending(person.id)
    assert users.update(before, before.disabled(), UserUpdated.of(before), tokens="end") is None
    assert users.find(person.id).active
    assert pending(person.id) == rows


@pytest.mark.parametrize("change", [{"email_verified": True}, {"totp_offered": "A" * 32}, {"password_hash": "other"}])
def test_a_write_that_counts_no_event_is_noticed_too(people, change):
    person = people.make()
    before = users.find(person.id)
    documents.users().update_one({"_id": ObjectId(person.id)}, {"$set": change})
    assert users.update(before, before.with_roles(["viewer"])) is None


@pytest.mark.parametrize("empty", [{"recovery_hashes": []}, {"totp_offered": None}, {"deleted_at": None}])
def test_an_empty_field_may_be_stored_in_any_way(people, empty):
    person = people.make()
    documents.users().update_one({"_id": ObjectId(person.id)}, {"$set": empty})
    before = users.find(person.id)
    assert users.update(before, before.disabled())


def test_a_used_mail_token_changes_nothing(people, pending):
    person = people.make()
    before = users.find(person.id)
    token, _ = MailToken.issue("reset", user_id=person.id, email_key=before.email.key, at=before.created_at)
    assert users.update(before, replace(before, password_hash="other"), tokens="end", used=token) is None
    assert users.find(person.id).password_hash == before.password_hash
    assert documents.sessions().count_documents({"user_id": ObjectId(person.id)}) == 1
    assert len(pending(person.id)) == 2


def test_changes_at_once_all_happen_and_their_events_have_no_gap(people, pending):
    person = people.make()
    roles = [["viewer"], ["staff"], ["admin"], []]
    start = threading.Barrier(8)

    def change(number):
        start.wait(10)
        if number % 2:
            return set_roles(caller=ADMIN, user_id=person.id, roles=roles[number // 2])
        return change_username(caller=caller_of(person), username=f"{person.username}{number}")

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(change, range(8)))
    rows = pending(person.id)
    assert [row["sequence"] for row in rows] == list(range(1, 2 + 4 * 2 + 4 + 1))
    assert users.find(person.id).version == len(rows)


def test_a_new_address_is_never_verified_by_the_link_of_the_old_one(people, pending, limits):
    limiter = Limiter(documents.User._get_db(), dict.fromkeys(("login", "code", "failures"), "off"))
    login_limits = LoginLimits(limiter, client_address="", is_desk=lambda _address: False)
    for _ in range(5):
        person = people.make()
        text = next(row for row in pending(person.id) if row["topic"] == "user-mail-requested")["payload"]
        token = orjson.loads(text)["token"]
        start = threading.Barrier(2)

        def verify(token=token, start=start):
            start.wait(10)
            return verify_email(token=token)

        def move(person=person, start=start):
            start.wait(10)
            return change_email(
                caller=caller_of(person),
                email=f"new-{person.email}",
                password=person.password,
                limits=login_limits,
                mail_limits=limits,
            )

        with ThreadPoolExecutor(2) as pool:
            verified, moved = pool.submit(verify), pool.submit(move)
        assert moved.result().email == EmailAddress.of(f"new-{person.email}")
        verified.exception()
        assert not users.find(person.id).email_verified
