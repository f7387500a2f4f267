"""A primary that steps down: what its connections are good for afterwards."""

import mongoengine
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.local.errors import NotReady
from deploy.local.servers.mongo import Mongo
from deploy.local.state import State
from deploy.local.supervision.waiting import until_ready
from libs.mongo_store.connection import connect, is_unavailable
from libs.mongo_store.transactions import in_transaction
from tests.free_ports import pick_free
from tests.stack import running

SECONDS = 60


@pytest.fixture
def own_mongo(tmp_path):
    """A server that a test may take out of service."""
    state = State(tmp_path)
    state.make()
    server = Mongo(state, pick_free(1)[0])
    with running(server, state):
        yield server


@pytest.fixture
def admin(own_mongo):
    """Its database `admin`, whatever state it is in."""
    with MongoClient("127.0.0.1", own_mongo.port, directConnection=True, timeoutMS=10_000) as client:
        yield client.admin


def step_down(admin, seconds):
    """Let the primary step down. It may be elected again after `seconds`."""
    admin.command("replSetStepDown", seconds, secondaryCatchUpPeriodSecs=0, force=True)


def recover(admin, on):
    """Enter or leave the state RECOVERING, which is neither primary nor secondary."""

    def attempt():
        try:
            admin.command("replSetMaintenance", on)
        except OperationFailure as error:
            raise NotReady(str(error)) from None

    until_ready(attempt, SECONDS)


def test_a_connection_that_was_made_in_the_middle_is_not_kept_without_sessions(own_mongo, admin):
    # A direct connection, because it is made in this state for certain. Otherwise it takes a race.
    db = connect(f"mongodb://127.0.0.1:{own_mongo.port}/things?directConnection=true")
    try:
        db.things.insert_one({"_id": 1})
        step_down(admin, SECONDS)
        recover(admin, True)
        db.client.close()
        mongoengine.disconnect()
        db = connect(f"mongodb://127.0.0.1:{own_mongo.port}/things?directConnection=true")
        with pytest.raises(Exception) as raised:
            db.things.find_one({})
        assert is_unavailable(raised.value)
        recover(admin, False)
        admin.command("replSetFreeze", 0)
        until_ready(own_mongo.check, SECONDS)
        in_transaction(db, lambda session: db.things.insert_one({"_id": 2}, session=session))
        assert db.things.count_documents({}) == 2
    finally:
        mongoengine.disconnect()


def test_a_step_down_raises_nothing_but_what_means_unavailable(own_mongo, admin):
    db = connect(f"mongodb://127.0.0.1:{own_mongo.port}/things?replicaSet=rs0")
    try:
        for number in range(5):
            db.things.replace_one({"_id": "first"}, {"number": number}, upsert=True)
            step_down(admin, 1)
            raised = []

            def attempt(number=number, raised=raised):
                try:
                    in_transaction(db, lambda session: db.things.insert_one({"_id": number}, session=session))
                except Exception as failure:
                    raised.append(failure)
                    raise NotReady("not written yet") from None

            until_ready(attempt, SECONDS)
            assert [error for error in raised if not is_unavailable(error)] == []
        assert db.things.count_documents({"_id": {"$type": "int"}}) == 5
    finally:
        mongoengine.disconnect()
