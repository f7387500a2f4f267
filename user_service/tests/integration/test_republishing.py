"""Commands that publish deletions and revocations again, for services that lost them."""

import orjson
import pytest
from bson import ObjectId

from libs.access.caller import Caller
from user_service.__main__ import republish_deleted, republish_revocations
from user_service.store.documents import User, users
from user_service.use_cases.accounts.delete_account import delete_account

ADMIN = Caller("a" * 24, "admin@example.com", "admin", ("admin",))


@pytest.fixture
def outbox():
    return User._get_db()["outbox"]


@pytest.fixture
def of(outbox):
    """`of(person, "user-deleted")`: (event id, sequence, data) of that topic's rows, oldest first."""

    def read(person, topic):
        rows = outbox.find({"aggregate_id": person.id, "topic": topic}).sort("sequence", 1)
        return [(row["_id"], row["sequence"], orjson.loads(row["payload"])) for row in rows]

    return read


def test_each_deletion_is_published_again_with_the_same_id_each_time(config, people, outbox, of, capsys):
    person, other = people.make(), people.make()
    delete_account(caller=ADMIN, user_id=person.id)
    ((_, _, first),) = of(person, "user-deleted")
    outbox.delete_many({})
    assert republish_deleted(config, []) == 0
    assert "deletions will be published" in capsys.readouterr().out
    ((event_id, sequence, again),) = of(person, "user-deleted")
    assert (again, of(other, "user-deleted")) == (first, [])
    assert sequence == users().find_one({"_id": ObjectId(person.id)})["sequence"]
    assert republish_deleted(config, []) == 0
    assert [row[:2] for row in of(person, "user-deleted")] == [(event_id, sequence)]  # it waits in the outbox
    outbox.delete_many({})
    assert republish_deleted(config, []) == 0
    assert [row[0] for row in of(person, "user-deleted")] == [event_id]


def test_deletions_are_read_in_batches(config, people, monkeypatch, of, outbox):
    monkeypatch.setattr("user_service.use_cases.republish_deleted.BATCH_SIZE", 2)
    deleted = [people.make() for _ in range(3)]
    for person in deleted:
        delete_account(caller=ADMIN, user_id=person.id)
    outbox.delete_many({})
    republish_deleted(config, [])
    assert [len(of(person, "user-deleted")) for person in deleted] == [1, 1, 1]


def test_the_revocations_of_the_last_hour_are_published_again(config, client, people, outbox, of):
    User._get_db()["revocations"].delete_many({})  # of accounts that other tests have removed with their counters
    person = people.make()
    sessions = [person, people.log_in(person), people.log_in(person)]
    for session in sessions[1:]:
        client.post("/logout", json={"refresh": session.refresh})
    client.delete("/users/me/sessions", headers=sessions[0].headers)
    first = [data for _, _, data in of(person, "user-revocations")]
    assert len(first) == 3
    outbox.delete_many({})
    for _ in range(2):
        assert republish_revocations(config, []) == 0
        again = of(person, "user-revocations")
        assert sorted(map(str, first)) == sorted(str(data) for _, _, data in again)
        assert len({sequence for _, sequence, _ in again}) == 3
    ids = {row[0] for row in of(person, "user-revocations")}
    outbox.delete_many({})
    republish_revocations(config, [])
    assert {row[0] for row in of(person, "user-revocations")} == ids
