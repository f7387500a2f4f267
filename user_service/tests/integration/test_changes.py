"""Staff's changes to accounts leave an entry with the actor."""

import pytest
from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from user_service.domain.errors import EmailTaken, LinkReissued, UsernameTaken
from user_service.store import documents, users
from user_service.store.indexes import ensure_indexes
from user_service.tests.integration.test_second_factor import set_up
from user_service.use_cases.manage_account import promote_user
from user_service.use_cases.sign_in.approve_second_factor import approve_second_factor_of


@pytest.fixture
def changes(client, people):
    """`changes(person)`: action, actor and changes of each entry, newest first, as a viewer reads them."""
    viewer = people.make("viewer")

    def read(person):
        answer = client.get(f"/users/{person.id}/changes", headers=viewer.headers)
        assert answer.status_code == 200, answer.json
        assert {frozenset(entry) for entry in answer.json["results"]} <= {
            frozenset({"id", "at", "actor", "action", "changes"})
        }
        return [(entry["action"], entry["actor"], entry["changes"]) for entry in answer.json["results"]]

    return read


def patch(client, who, whom, **body):
    assert client.patch(f"/users/{whom.id}", json=body, headers=who.headers).status_code == 200


def test_activity_and_roles(client, people, changes):
    person, staff, admin = people.make(), people.make("staff"), people.make("admin")
    patch(client, staff, person, active=False)
    patch(client, staff, person, active=True)
    patch(client, admin, person, roles=["viewer"])
    assert changes(person) == [
        ("roles-changed", admin.id, {"roles": [[], ["viewer"]]}),
        ("enabled", staff.id, {"active": [False, True]}),
        ("disabled", staff.id, {"active": [True, False]}),
    ]


def test_a_change_of_nothing_leaves_no_entry(client, people, changes):
    person, staff = people.make(), people.make("staff")
    patch(client, staff, person, active=True)
    assert changes(person) == []


def test_what_owners_change_themselves_leaves_no_entry(client, people, changes):
    person, totp, codes = set_up(client, people)
    person = people.log_in(person, code=totp.now())
    body = {"password": person.password, "code": codes[0]}
    assert client.post("/users/me/totp/remove", json=body, headers=person.headers).status_code == 204
    assert changes(person) == []


def test_an_authenticator_that_an_admin_removes(client, people, changes):
    (person, totp, codes), admin = set_up(client, people), people.make("admin")
    client.delete(f"/users/{person.id}/totp", headers=admin.headers)
    (entry,) = changes(person)
    assert entry == ("authenticator-removed", admin.id, {"secondFactor": [True, False]})
    kept = str(list(documents.account_changes().find({"user_id": ObjectId(person.id)})))
    assert not [secret for secret in (totp.secret, person.password, person.email, *codes) if secret in kept]


def test_an_approval_by_an_admin_and_by_command(client, people, changes):
    person, admin = people.make("staff", verified=True), people.make("admin")
    assert client.post(f"/users/{person.id}/totp/approval", json={}, headers=admin.headers).status_code == 204
    approve_second_factor_of(email=person.email)
    assert [(action, actor) for action, actor, _ in changes(person)] == [
        ("authenticator-approved", "command"),
        ("authenticator-approved", admin.id),
        ("created", "command"),
    ]


def test_a_promotion_by_command(people, changes):
    person = people.make()
    promote_user(email=person.email, roles=["admin"], password="Another-horse")
    assert changes(person) == [("roles-changed", "command", {"roles": [[], ["admin"]], "emailVerified": [False, True]})]


def test_a_deletion_by_an_admin_keeps_its_entry_and_nothing_personal(client, people, changes):
    person, admin = people.make(), people.make("admin")
    assert client.delete(f"/users/{person.id}", headers=admin.headers).status_code == 204
    assert changes(person) == [("deleted", admin.id, {"active": [True, False]})]
    kept = str(list(documents.account_changes().find({"user_id": ObjectId(person.id)})))
    assert not [text for text in (person.email, person.email.lower(), person.username) if text in kept]


def test_a_refused_change_leaves_no_entry(client, people, changes):
    person, staff = people.make("viewer"), people.make("staff")
    assert client.patch(f"/users/{person.id}", json={"active": False}, headers=staff.headers).status_code == 403
    assert [action for action, _, _ in changes(person)] == ["created"]


def test_pages_hold_every_entry_once(client, people):
    person, staff = people.make(), people.make("staff")
    for number in range(5):
        patch(client, staff, person, active=bool(number % 2))
    path, seen = f"/users/{person.id}/changes?limit=2", []
    while path:
        page = client.get(path, headers=staff.headers).json
        seen += [entry["action"] for entry in page["results"]]
        path = page["next"]
    assert seen == ["disabled", "enabled", "disabled", "enabled", "disabled"]


def test_who_may_read_and_what_is_refused(client, people):
    person, viewer = people.make(), people.make("viewer")
    assert client.get(f"/users/{person.id}/changes", headers=person.headers).status_code == 403
    assert client.get(f"/users/{'0' * 24}/changes", headers=viewer.headers).json["code"] == "unknown-user"
    assert client.get("/users/x/changes", headers=viewer.headers).status_code == 404
    assert client.get(f"/users/{person.id}/changes?cursor=x", headers=viewer.headers).status_code == 400


def raise_duplicate(pattern):
    def write(_transaction):
        raise DuplicateKeyError("E11000", 11000, {"keyPattern": pattern})

    return write


@pytest.mark.parametrize(
    ("pattern", "error"),
    [
        ({"email_key": 1}, EmailTaken),
        ({"username_key": 1}, UsernameTaken),
        ({"reissue_of": 1}, LinkReissued),
        ({"aggregate_id": 1, "sequence": 1}, DuplicateKeyError),
        ({"_id": 1}, DuplicateKeyError),
    ],
)
def test_each_unique_index_has_its_own_error(app, pattern, error):
    with pytest.raises(error):
        users._transact(raise_duplicate(pattern))


def test_every_unique_index_of_the_documents_has_an_error(app):
    ensure_indexes()
    unique = {
        name
        for collection in (
            documents.users(),
            documents.sessions(),
            documents.mail_tokens(),
            documents.account_changes(),
        )
        for index in collection.index_information().values()
        if index.get("unique")
        for name, _ in index["key"]
    }
    assert unique == set(users.CONFLICTS)
