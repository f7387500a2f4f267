"""A transaction that fails is over on the server at once: it locks nothing until the server's own limit."""

import time
from functools import partial

import pymongo
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from chaos.harness.proxy import Proxy
from libs.mongo_store import transactions
from libs.mongo_store.transactions import in_transaction
from tests.free_ports import pick_free

SECONDS = 0.5
"""The time of a transaction here. The server ends an open one after 5 s."""


@pytest.fixture
def proxy(db):
    """It stands before the server."""
    proxy = Proxy("mongo", pick_free(1)[0], db.client.address[1])
    proxy.start()
    yield proxy
    proxy.close()


@pytest.fixture(autouse=True)
def _time_to_release(monkeypatch):
    """On a busy machine a new connection takes longer than the half second that a request may spend on it."""
    monkeypatch.setattr(transactions, "RELEASE_SECONDS", 15.0)


@pytest.fixture
def far(proxy, db):
    """The database behind the proxy, with a document."""
    db.things.insert_one({"_id": 1, "n": 0})
    with MongoClient("127.0.0.1", proxy.port, directConnection=True, timeoutMS=4000) as client:
        yield client[db.name]


class Watched:
    """A piece of work in a transaction, and whether that is open on the server."""

    def __init__(self, db, end):
        self._db, self._end, self._ids = db, end, []

    def __call__(self, session):
        self._ids.append(session.session_id["id"])
        self.change(session)
        self._end(partial(self.change, session))

    @property
    def attempts(self):
        return len(self._ids)

    def change(self, session):
        session.client[self._db.name].things.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)

    def is_open(self):
        """What another client asks the server."""
        found = self._db.client.admin.aggregate(
            [
                {"$currentOp": {"idleSessions": True, "localOps": True}},
                {"$match": {"lsid.id": {"$in": self._ids}, "transaction": {"$exists": True}}},
            ]
        )
        assert self._ids
        return bool(list(found))


def sleep_and_write(write):
    time.sleep(SECONDS * 1.2)
    write()


def sleep(write):
    time.sleep(SECONDS * 1.2)


def sleep_and_refuse(write):
    time.sleep(SECONDS * 1.2)
    raise LookupError


def refuse(write):
    raise LookupError


def stop(write):
    raise SystemExit


def test_an_open_transaction_is_seen(db, far):
    seen = []
    work = Watched(db, lambda write: seen.append(work.is_open()))
    in_transaction(far, work)
    assert (seen, work.is_open()) == ([True], False)


@pytest.mark.parametrize(
    ("end", "error"),
    [
        pytest.param(sleep_and_write, PyMongoError, id="its time is over before a write"),
        pytest.param(sleep, PyMongoError, id="its time is over before the commit"),
        pytest.param(sleep_and_refuse, LookupError, id="its time is over when the use case refuses"),
        pytest.param(refuse, LookupError, id="the use case refuses"),
        pytest.param(stop, SystemExit, id="the process stops"),
    ],
)
@pytest.mark.parametrize("around", [None, SECONDS], ids=["", "in a time limit"])
def test_a_failed_transaction_is_over(db, far, monkeypatch, end, error, around):
    monkeypatch.setattr(transactions, "WORK_SECONDS", SECONDS)
    work = Watched(db, end)
    with pytest.raises(error), pymongo.timeout(around):
        in_transaction(far, work)
    assert not work.is_open()
    assert db.things.find_one() == {"_id": 1, "n": 0}


@pytest.mark.parametrize("fault", ["timeout", "reset_peer"])
def test_a_transaction_whose_connection_fails_is_over(db, far, proxy, monkeypatch, fault):
    monkeypatch.setattr(transactions, "WORK_SECONDS", SECONDS)

    def end(write):
        with proxy.toxic(fault):
            time.sleep(SECONDS * (0.9 if fault == "reset_peer" else 0))  # too little is left for another attempt
            write()

    work = Watched(db, end)
    with pytest.raises(PyMongoError):
        in_transaction(far, work)
    assert work.attempts == 1
    assert not work.is_open()
    assert db.things.find_one() == {"_id": 1, "n": 0}


def test_a_session_that_was_ended_so_is_good_for_the_next_transaction(db, far, monkeypatch):
    with monkeypatch.context() as short:
        short.setattr(transactions, "WORK_SECONDS", SECONDS)
        with pytest.raises(PyMongoError):
            in_transaction(far, Watched(db, sleep_and_write))
    for _ in range(3):
        in_transaction(far, Watched(db, lambda write: write()))
    assert db.things.find_one() == {"_id": 1, "n": 6}
