"""What the errors of MongoDB's drivers mean."""

import mongoengine
import pytest
from pymongo.errors import (
    AutoReconnect,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WTimeoutError,
)

from libs.messaging.failures import FailureKind
from libs.mongo_store.failures import MongoFailures, is_temporary
from libs.mongo_store.transactions import WriteConflict


def transient(error):
    error._add_error_label("TransientTransactionError")
    return error


KINDS = [
    *((OperationFailure("refused", code), FailureKind.UNAVAILABLE) for code in (13, 18, 91, 189, 11600, 11602)),
    (OperationFailure("too long", 262), FailureKind.LIMIT),
    (mongoengine.ConnectionFailure("no server"), FailureKind.UNAVAILABLE),
    (WTimeoutError("slow"), FailureKind.UNAVAILABLE),
    (AutoReconnect("closed"), FailureKind.LIMIT),
    (NetworkTimeout("no answer"), FailureKind.LIMIT),
    (transient(NetworkTimeout("no answer")), FailureKind.LIMIT),
    (NotPrimaryError("stepped down"), FailureKind.LIMIT),
    (ServerSelectionTimeoutError("no server"), FailureKind.LIMIT),
    (WaitQueueTimeoutError("no connection"), FailureKind.LIMIT),
    (ExecutionTimeout("too long", 50), FailureKind.LIMIT),
    (WriteConflict("write conflicts"), FailureKind.CONFLICT),
    (transient(OperationFailure("write conflict", 112)), FailureKind.CONFLICT),
    (DuplicateKeyError("twice", 11000), FailureKind.OWN),
    (OperationFailure("validation", 121), FailureKind.OWN),
    (mongoengine.ValidationError("a value"), FailureKind.OWN),
    (KeyError("a bug"), FailureKind.OWN),
]


@pytest.mark.parametrize(("error", "kind"), KINDS, ids=lambda value: getattr(value, "name", repr(value)))
def test_the_kind_of_an_error(error, kind):
    assert MongoFailures(db=None).kind_of(error) is kind


@pytest.mark.parametrize(("error", "kind"), KINDS, ids=lambda value: getattr(value, "name", repr(value)))
def test_relay_and_tasks_go_on_after_what_may_pass(error, kind):
    assert is_temporary(error) is (kind is not FailureKind.OWN)
