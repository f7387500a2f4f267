"""What the errors of MongoDB's drivers mean for the events that a worker handles."""

import pymongo
from pymongo.errors import ConnectionFailure, ExecutionTimeout, OperationFailure, PyMongoError

from libs.messaging.failures import FailureKind
from libs.mongo_store.connection import Db, is_unavailable
from libs.mongo_store.transactions import WriteConflict

EXCEEDED_TIME_LIMIT = 262
PING_SECONDS = 1.0


def kind_of(error: Exception) -> FailureKind:
    """What `error` means, by the one list for PyMongo and MongoEngine: with `is_unavailable`.

    A lost or timed-out connection is a LIMIT: the server may be well, and the statement too long.
    """
    if isinstance(error, WriteConflict):
        return FailureKind.CONFLICT
    if isinstance(error, (ConnectionFailure, ExecutionTimeout)):
        return FailureKind.LIMIT
    if isinstance(error, OperationFailure) and error.code == EXCEEDED_TIME_LIMIT:
        return FailureKind.LIMIT
    if is_unavailable(error):
        return FailureKind.UNAVAILABLE
    if isinstance(error, PyMongoError) and error.has_error_label("TransientTransactionError"):
        return FailureKind.CONFLICT
    return FailureKind.OWN


def is_temporary(error: Exception) -> bool:
    """Whether the same work may succeed later. Relay and periodic tasks go on then, and end by another error."""
    return kind_of(error) is not FailureKind.OWN


class MongoFailures:
    """What a consumer asks."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def kind_of(self, error: Exception) -> FailureKind:
        """What `error` means."""
        return kind_of(error)

    def answers(self) -> bool:
        """Whether the server answers a ping within a second."""
        try:
            with pymongo.timeout(PING_SECONDS):
                self._db.command("ping")
        except PyMongoError:
            return False
        return True
