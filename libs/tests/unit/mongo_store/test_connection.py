"""Which errors of the drivers mean that MongoDB does not serve now."""

import mongoengine
import pytest
from bson.errors import InvalidDocument
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    CursorNotFound,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WriteError,
    WTimeoutError,
)

from libs.mongo_store.connection import is_unavailable


def labelled(label):
    error = OperationFailure("failed", 1)
    error._add_error_label(label)
    return error


def of_mongoengine(cause):
    try:
        try:
            raise cause
        except PyMongoError:
            raise mongoengine.OperationError("Could not save document")  # noqa: B904 # as MongoEngine raises it
    except mongoengine.OperationError as error:
        return error


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("connection closed"),
        NetworkTimeout("timed out"),
        ServerSelectionTimeoutError("No primary available for writes"),
        NotPrimaryError("not primary"),
        mongoengine.ConnectionFailure("refused"),
        ConfigurationError("Sessions are not supported by this MongoDB deployment"),
        ExecutionTimeout("operation exceeded time limit", 50),
        WTimeoutError("waiting for replication timed out", 64),
        CursorNotFound("cursor id 5 not found", 43),
        *(OperationFailure("…", code) for code in (6, 7, 13, 18, 89, 91, 134, 189, 262, 9001, 11600, 11602)),
        WriteConcernError("shutdown in progress", 91),
        WriteError("not primary", 10107),
        BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 11600, "errmsg": "interrupted"}]}),
        OperationFailure("failed", 1, {"writeConcernError": {"code": 91}}),
        labelled("RetryableWriteError"),
        labelled("UnknownTransactionCommitResult"),
        of_mongoengine(OperationFailure("shutting down", 11600)),
    ],
    ids=repr,
)
def test_a_state_of_the_server_or_the_way_to_it(error):
    assert is_unavailable(error)


@pytest.mark.parametrize(
    "error",
    [
        None,
        ValueError("x"),
        PyMongoError("x"),
        ConfigurationError("Unknown option tlz"),
        DuplicateKeyError("E11000 duplicate key", 11000),
        OperationFailure("bad value", 2),
        OperationFailure("write conflict", 112),
        BulkWriteError({"writeErrors": [{"code": 11000}], "writeConcernErrors": []}),
        InvalidOperation("bulk write of nothing"),
        InvalidDocument("key must be a string"),
        of_mongoengine(OperationFailure("bad value", 2)),
    ],
    ids=repr,
)
def test_a_fault_of_ours_or_of_the_input(error):
    assert not is_unavailable(error)
