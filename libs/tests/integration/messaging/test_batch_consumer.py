"""Batches on a real broker: what holds for single events holds for an event in a batch too."""

import os
import signal
import subprocess
import sys
import threading
import time

import pymongo
import pytest

from libs.messaging.consumer.batch_consumer import MAX_OPEN_EVENTS
from libs.messaging.failures import ServerUnavailable
from libs.mongo_store.failures import MongoFailures
from libs.tests.integration.messaging.test_consumer import Channel, running, wait_until


class BatchChannel(Channel):
    """A topic and a group whose member handles batches."""

    def consuming(self, handle, **options):
        """A running member whose handler gets batches."""
        return running(self.member(handle, **({"commit_seconds": 0} | options)))

    def send_many(self, numbers, key=lambda n: f"k{n}", partition=None):
        for n in numbers:
            row = self.row(n, key(n))
            where = {} if partition is None else {"partition": partition}
            headers = [*{"ce_specversion": "1.0", "ce_type": self.topic, "ce_id": row.event_id}.items()]
            self._producer.produce(self.topic, row.payload.encode(), key(n).encode(), headers=headers, **where)
        assert self._producer.flush(30) == 0


class Handler:
    """Records the batches that are stored. `fail(numbers)`: an error to raise, or None."""

    def __init__(self, fail=lambda numbers: None):
        self.fail, self.batches, self.lock = fail, [], threading.Lock()

    def __call__(self, events):
        numbers = [event.data["n"] for event in events]
        if (error := self.fail(numbers)) is not None:
            raise error
        with self.lock:
            self.batches.append(numbers)
        return {}

    @property
    def seen(self):
        return [n for batch in self.batches for n in batch]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr("libs.messaging.consumer.batch_thread.BACKOFF_CAP_SECONDS", 0.5)
    monkeypatch.setattr("libs.messaging.consumer.batch_thread.RETRY_SECONDS", (0.05,) * 5)


@pytest.fixture
def channel(kafka):
    channel = BatchChannel(kafka)
    yield channel
    channel.close()


def test_events_that_wait_are_handled_together_in_order_by_key_and_committed(channel):
    channel.send_many(range(1000), lambda n: f"k{n % 7}")
    handle = Handler()
    with channel.consuming(handle) as consumer:
        wait_until(lambda: channel.committed() == 1000)
        wait_until(lambda: consumer.status()["handled"] == 1000)
        status = consumer.status()
    assert len(handle.seen) == 1000
    for key in range(7):
        assert [n for n in handle.seen if n % 7 == key] == list(range(key, 1000, 7))
    assert max(len(batch) for batch in handle.batches) > 10
    assert (status["open"], status["uncommitted"], status["heldKeys"], status["deadLetters"]) == (0, 0, 0, 0)
    assert status["batchSize"]["count"] == len(handle.batches)


def test_an_event_that_fails_alone_in_a_batch_of_100_is_the_only_dead_letter(channel):
    channel.send_many(range(100), partition=0)
    handle = Handler(lambda numbers: KeyError("ada@example.com") if 61 in numbers else None)
    with channel.consuming(handle) as consumer:
        (letter,) = channel.dead_letters(1)
        wait_until(lambda: channel.committed() == 100)
        assert consumer.status()["deadLetters"] == 1
    headers = dict(letter.headers())
    assert letter.value() == b'{"n":61}'
    assert (headers["x-reason"], headers["x-attempts"]) == (b"handler failed: KeyError", b"6")
    assert sorted(handle.seen) == [n for n in range(100) if n != 61]


def test_malformed_events_are_dead_letters_before_the_batch_is_made(channel):
    for n in range(20):
        channel.send(n, key=f"k{n}", partition=0)
        if n % 5 == 0:
            channel.send_raw(b"{not json", b"bad", {"ce_id": "x"}, partition=0)
    handle = Handler()
    with channel.consuming(handle):
        letters = channel.dead_letters(4)
        wait_until(lambda: channel.committed() == 24)
    assert {letter.value() for letter in letters} == {b"{not json"}
    assert handle.seen == list(range(20))


def test_a_held_key_stops_no_other_event_and_only_the_commit(channel, monkeypatch):
    """More events than may be open come after the one that holds its key: those that are done are not counted."""
    monkeypatch.setattr("libs.messaging.consumer.batch_thread.RETRY_SECONDS", (3600,) * 5)
    may_pass = threading.Event()
    handle = Handler(lambda numbers: None if may_pass.is_set() or 0 not in numbers else ValueError())
    count = 5 * MAX_OPEN_EVENTS
    channel.send_many(range(count), lambda n: "held" if n in (0, 500) else f"k{n}", partition=0)
    with channel.consuming(handle) as consumer:
        wait_until(lambda: len(handle.seen) == count - 2)
        wait_until(lambda: consumer.status()["uncommitted"] == count - 2)
        status = consumer.status()
        assert (status["open"], status["heldKeys"], status["handled"]) == (2, 1, 0)
        assert status["retrying"] == {"reason": "handler failed: ValueError", "attempts": 1}
        assert channel.committed() == 0
    may_pass.set()
    again = Handler()
    with channel.consuming(again):  # the next member gets all of them: their effects are idempotent
        wait_until(lambda: channel.committed() == count)
    assert again.seen == list(range(count))


def test_an_unavailable_server_halves_no_batch_and_loses_no_event(channel):
    away, tries = threading.Event(), []
    away.set()

    def fail(numbers):
        tries.append(len(numbers))
        return ConnectionError() if away.is_set() else None

    channel.send_many(range(300), partition=0)
    handle = Handler(fail)
    with channel.consuming(handle) as consumer:
        wait_until(lambda: len(tries) >= 5)
        first = tries[0]
        assert tries[:5] == [first] * 5
        assert consumer.status()["retrying"]["reason"] == "ConnectionError"
        beat = consumer.heartbeat
        wait_until(lambda: consumer.heartbeat > beat)
        away.clear()
        wait_until(lambda: channel.committed() == 300)
        status = consumer.status()
    assert handle.seen == list(range(300))
    assert (status["halvings"], status["deadLetters"], status["retrying"]) == (0, 0, None)


def test_a_member_that_joins_and_leaves_loses_and_repeats_nothing(channel):
    handle = Handler()
    with channel.consuming(handle) as stays:
        wait_until(lambda: stays.status()["assigned"] == 3)
        channel.send_many(range(500))
        with channel.consuming(handle) as leaves:
            wait_until(
                lambda: leaves.status()["assigned"] and stays.status()["assigned"] + leaves.status()["assigned"] == 3
            )
            channel.send_many(range(500, 1000))
            wait_until(lambda: len(handle.seen) >= 600)
        wait_until(lambda: stays.status()["assigned"] == 3)
        channel.send_many(range(1000, 1500))
        wait_until(lambda: channel.committed() == 1500)
    assert sorted(handle.seen) == list(range(1500))


def test_a_revocation_waits_for_the_transaction_and_cuts_a_back_off_short(channel, monkeypatch):
    monkeypatch.setattr("libs.messaging.consumer.batch_thread.BACKOFF_CAP_SECONDS", 3600)
    monkeypatch.setattr("libs.messaging.consumer.batch_thread.random.uniform", lambda low, high: high)
    channel.send_many(range(50), partition=0)
    handle = Handler(lambda numbers: ServerUnavailable("no answer"))
    with channel.consuming(handle) as consumer:
        wait_until(lambda: consumer.status()["retrying"])
        began = time.monotonic()
    assert time.monotonic() - began < 3600
    assert channel.committed() == 0
    begun, may_end, slow = threading.Event(), threading.Event(), Handler()

    def wait(numbers):
        begun.set()
        may_end.wait(10)

    slow.fail = wait
    with channel.consuming(slow, commit_seconds=3600):
        assert begun.wait(20)
        threading.Timer(0.5, may_end.set).start()
    assert channel.committed() == len(slow.seen) > 0


KILLED = """
import sys
from pymongo import MongoClient
from libs.messaging.consumer.batch_consumer import BatchConsumer
from libs.mongo_store.failures import MongoFailures
from libs.mongo_store.transactions import in_transaction
import threading

uri, name, brokers, topic, group = sys.argv[1:]
db = MongoClient(uri, timeoutMS=4000)[name]

def handle(events):
    def work(session):
        db.hot.update_one({"_id": "hot"}, {"$inc": {"claims": 1}}, session=session)
        known = {row["_id"] for row in db.seen.find({"_id": {"$in": [e.data["n"] for e in events]}}, session=session)}
        new = {e.data["n"]: e.data["n"] for e in events if e.data["n"] not in known}
        if new:
            db.seen.insert_many([{"_id": n} for n in new], session=session)
            db.hot.update_one({"_id": "hot"}, {"$inc": {"sum": len(new)}}, session=session)
    in_transaction(db, work)
    return {}

BatchConsumer(brokers, group, [topic], handle, failures=MongoFailures(db)).run(threading.Event())
"""


def test_a_process_that_is_killed_in_the_middle_of_batches_leaves_the_same_result(channel, db, mongo):
    """Each effect once: the row of an event and its part of the sum are one transaction, and copies find the row."""
    db.hot.insert_one({"_id": "hot", "sum": 0, "claims": 0})
    db.create_collection("seen")
    numbers = [n for n in range(2000) for _ in range(1 + (n % 10 == 0))]
    command = [sys.executable, "-c", KILLED, mongo, db.name, channel.brokers, channel.topic, channel.group]
    channel.send_many(numbers)
    killed = 0
    for least in (1, 400, 900):
        process = subprocess.Popen(command, env=dict(os.environ))
        wait_until(lambda least=least: db.seen.count_documents({}) >= least, 60)
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed += 1
    process = subprocess.Popen(command, env=dict(os.environ))
    try:
        wait_until(lambda: channel.committed() == len(numbers), 60)
    finally:
        process.terminate()
        process.wait()
    assert killed == 3
    assert db.seen.count_documents({}) == db.hot.find_one()["sum"] == 2000


def test_an_unavailable_mongodb_is_distinguished_from_a_slow_statement(db, channel):
    failures = MongoFailures(db)
    assert failures.answers()
    channel.send_many(range(10), partition=0)
    limits = []

    def handle(events):
        if len(events) > 4:
            limits.append(len(events))
            db.things.insert_one({})
            with pymongo.timeout(0.3):
                list(db.things.find({"$where": "sleep(2000) || true"}))
        return {}

    with channel.consuming(handle, failures=failures) as consumer:
        wait_until(lambda: channel.committed() == 10)
        status = consumer.status()
    assert limits
    assert (status["limits"], status["halvings"], status["deadLetters"]) == (len(limits), 0, 0)
