"""The MongoDB outbox: transactions, order, and what a concurrent reader sees."""

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import mongoengine
import pytest
from bson import ObjectId
from pymongo.errors import BulkWriteError, DuplicateKeyError, ExecutionTimeout, PyMongoError

from libs.access.revocations import Revocation, Revocations
from libs.messaging.envelope import OutboxRow
from libs.mongo_store.connection import connect, database_time, ping
from libs.mongo_store.inserts import insert
from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.revocations import MongoRevocations
from libs.mongo_store.transactions import in_transaction
from libs.mongo_store.worker_status import MongoWorkerStatus


def row(event_id, aggregate="a", sequence=1, age=0.0):
    created = datetime.now(UTC) - timedelta(seconds=age)
    return OutboxRow(str(event_id), "thing-made", aggregate, sequence, "{}", "{}", created)


def store(db, *rows):
    outbox = MongoOutbox(db)
    for one in rows:
        in_transaction(db, lambda session, one=one: outbox.add(one, session))
    return outbox


def test_a_process_may_connect_twice(mongo):
    try:
        assert connect(mongo) == connect(mongo)
    finally:
        mongoengine.disconnect()


def test_a_row_of_a_failed_transaction_does_not_exist(db):
    outbox = MongoOutbox(db)

    def work(session):
        outbox.add(row(1), session)
        raise LookupError

    with pytest.raises(LookupError):
        in_transaction(db, work)
    assert outbox.pending(10) == []


KILLED = """
import os, sys, pymongo
client = pymongo.MongoClient(sys.argv[1], directConnection=True)
session = client.start_session()
session.start_transaction()
client[sys.argv[2]].things.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)
os._exit(9)
"""


def test_what_a_killed_process_left_open_locks_nothing_for_long(db):
    db.things.insert_one({"_id": 1, "n": 0})
    address = "mongodb://{}:{}".format(*db.client.address)
    assert subprocess.run([sys.executable, "-c", KILLED, address, db.name], check=False).returncode == 9
    began, done = time.monotonic(), False
    while not done:
        assert time.monotonic() - began < 20, "the document is still locked"
        try:
            done = in_transaction(db, lambda session: change(db, session).acknowledged)
        except ExecutionTimeout:
            assert not done
    assert db.things.find_one() == {"_id": 1, "n": 1}


def change(db, session):
    return db.things.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)


def test_a_transaction_whose_time_is_over_locks_nothing(db, monkeypatch):
    db.things.insert_one({"_id": 1, "n": 0})

    def work(session):
        change(db, session)
        time.sleep(0.4)
        change(db, session)

    with monkeypatch.context() as short:
        short.setattr("libs.mongo_store.transactions.WORK_SECONDS", 0.3)
        with pytest.raises(PyMongoError):
            in_transaction(db, work)
    monkeypatch.setattr(
        "libs.mongo_store.transactions.WORK_SECONDS", 2
    )  # the server ends an open transaction after 5 s
    assert in_transaction(db, lambda session: change(db, session).modified_count) == 1


def test_a_rare_writer_succeeds_beside_one_that_writes_all_the_time(db):
    db.things.insert_one({"_id": 1, "n": 0})
    stop, busy = threading.Event(), []

    def write_on():
        while not stop.is_set():
            in_transaction(db, lambda session: change(db, session))
            busy.append(1)

    threads = [threading.Thread(target=write_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            in_transaction(db, lambda session: change(db, session))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert db.things.find_one()["n"] == 20 + len(busy)


def test_two_events_can_not_have_one_number(db):
    store(db, row(1, sequence=5))
    with pytest.raises(DuplicateKeyError):
        store(db, row(2, sequence=5))


def test_rows_come_oldest_first_and_go_by_their_ids(db):
    outbox = store(db, row("new", "a", age=1), row("old", "b", age=9))
    assert [r.event_id for r in outbox.pending(10)] == ["old", "new"]
    outbox.delete([row for row in outbox.pending(10) if row.event_id == "old"])
    assert [r.event_id for r in outbox.pending(10)] == ["new"]


def test_a_full_batch_brings_the_earlier_rows_of_its_aggregates(db):
    late_clock = [row("a2", "a", 2, age=9), row("b1", "b", 1, age=5), row("a1", "a", 1, age=1)]
    outbox = store(db, *late_clock)
    assert {r.event_id for r in outbox.pending(2)} == {"a2", "b1", "a1"}


def test_a_dead_row_is_kept_with_the_reason(db):
    outbox = store(db, row(1), row(2, sequence=2))
    outbox.move_to_dead(row(1), "too large")
    assert [r.event_id for r in outbox.pending(10)] == ["2"]
    (dead,) = db["outbox_dead"].find()
    assert (dead["_id"], dead["reason"]) == ("1", "too large")


def test_the_backlog_is_counted_and_aged(db):
    assert MongoOutbox(db).backlog() == (0, 0.0)
    pending, age = store(db, row(1, age=60), row(2, sequence=2)).backlog()
    assert pending == 2
    assert 59 < age < 70


def test_writers_of_one_aggregate_make_its_sequence_without_gaps(db):
    outbox, things = MongoOutbox(db), db["things"]
    things.insert_one({"_id": "a", "sequence": 0})

    def write(writer):
        for n in range(5):

            def work(session, n=n):
                thing = things.find_one_and_update(
                    {"_id": "a"}, {"$inc": {"sequence": 1}}, return_document=True, session=session
                )
                outbox.add(row(f"{writer}-{n}", "a", thing["sequence"]), session)

            in_transaction(db, work)

    threads = [threading.Thread(target=write, args=(w,)) for w in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(r.sequence for r in outbox.pending(100)) == list(range(1, 16))


def test_worker_statuses_are_read_back_and_old_ones_are_deleted(db):
    states = MongoWorkerStatus(db)
    states.write("old", {"beat": 1.0, "host": "h", "parts": {}})
    states.write("new", {"beat": 9e9, "host": "h", "parts": {"relay": {"pending": 0}}})
    assert states.read() == [{"beat": 9e9, "host": "h", "parts": {"relay": {"pending": 0}}}]


def test_a_server_that_answers_passes_the_check(db):
    assert ping(db) == {}


def test_the_server_s_time_is_a_moment_whatever_the_time_zone_of_the_host(db, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert database_time(db).utcoffset() == timedelta(0)
        assert abs(MongoWorkerStatus(db).now() - time.time()) < 60
    finally:
        monkeypatch.undo()
        time.tzset()


def test_one_owner_at_a_time_has_the_lease(db):
    outbox = MongoOutbox(db)
    assert outbox.renew_lease("a", 60)
    assert outbox.renew_lease("a", 60)
    assert not outbox.renew_lease("b", 60)
    assert outbox.renew_lease("a", 0)
    wait_until(lambda: outbox.renew_lease("b", 60))
    assert not outbox.renew_lease("a", 60)


def test_a_lease_from_before_the_clock_was_set_back_is_free(db):
    outbox = MongoOutbox(db)
    assert outbox.renew_lease("a", 3600)  # as a lease of 8 s is when the clock was set back by an hour
    assert outbox.renew_lease("b", 60)
    assert not outbox.renew_lease("a", 60)


def test_of_many_who_want_a_free_lease_one_gets_it(db):
    outbox, won = MongoOutbox(db), []
    threads = [threading.Thread(target=lambda n=n: outbox.renew_lease(str(n), 60) and won.append(n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_revocation_is_stored_once_and_found_by_the_time_it_was_stored_at(db):
    kept = MongoRevocations(db)
    kept.ensure_indexes()
    moment = int(time.time() * 1000)
    began, nothing = kept.read(None)
    assert nothing == []
    everything, one = Revocation("u1", None, moment), Revocation("u1", "s1", moment + 1)
    kept.add(everything)
    kept.add(one)
    rows = list(db["revocations"].find())
    kept.add(one)
    assert list(db["revocations"].find()) == rows
    assert set(kept.read(began - timedelta(milliseconds=1))[1]) == {everything, one}
    assert kept.read(began + timedelta(hours=1))[1] == []
    known = Revocations(kept.read)
    assert known.ended("u1", "s1", moment)
    assert not known.ended("u1", "s2", moment)


@pytest.mark.parametrize("skew", [-300, 300])
def test_a_worker_whose_clock_is_wrong_stores_revocations_that_web_processes_read(db, monkeypatch, skew):
    kept = MongoRevocations(db)
    known = Revocations(kept.read)
    assert not known.ended("u1", None, 0)
    moment = int(time.time() * 1000)
    with monkeypatch.context() as patch:  # the worker's host
        patch.setattr("time.time", lambda: moment / 1000 + skew)
        kept.add(Revocation("u1", None, moment))
    monkeypatch.setattr("libs.access.revocations.READ_SECONDS", 0)
    assert known.ended("u1", None, moment - 1)
    (row,) = db["revocations"].find()
    assert abs(row["stored_at"].timestamp() - moment / 1000) < 60


def test_a_row_that_dies_twice_is_one_dead_event(db):
    outbox = MongoOutbox(db)
    outbox.ensure_indexes()
    for reason in ("too large", "too large again"):
        with db.client.start_session() as session:
            outbox.add(row(1), session)
        outbox.move_to_dead(row(1), reason)
    (dead,) = db["outbox_dead"].find()
    assert dead["reason"] == "too large again"
    assert outbox.pending(10) == []


def test_an_insert_in_a_transaction_is_that_of_the_driver(db):
    things = db["things"]
    things.create_index("name", unique=True)
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    in_transaction(
        db, lambda transaction: insert(things, [{"name": "a", "at": at}, {"_id": 7, "name": "b"}], transaction)
    )
    first, second = things.find().sort("name", 1)
    assert (first["name"], first["at"], type(first["_id"])) == ("a", at, ObjectId)
    assert second == {"_id": 7, "name": "b"}
    errors = []
    for write in (insert, lambda rows, docs, transaction: rows.insert_many(docs, session=transaction)):
        with pytest.raises((DuplicateKeyError, BulkWriteError)) as refused:
            in_transaction(
                db, lambda transaction, write=write: write(things, [{"name": "c"}, {"name": "a"}], transaction)
            )
        errors.append(refused.value.details)
    assert errors[0]["keyValue"] == errors[1]["writeErrors"][0]["keyValue"] == {"name": "a"}
    assert things.count_documents({}) == 2
