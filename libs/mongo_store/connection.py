"""The connection to MongoDB, with time limits.

MongoEngine 0.29 has no transactions, so a transaction works on PyMongo collections (`Model._get_collection()`).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar, cast

import mongoengine
import pymongo
from pymongo.database import Database
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)

from libs.mongo_store.session_pool import SessionPool
from libs.mongo_store.wait_listener import CommandWaits, ConnectionWaits, PrimaryWaits

TIMEOUT_MS = 4000  # a request ends within 5 s, even when the server is frozen
UNAVAILABLE_ERRORS: tuple[type[Exception], ...] = (
    ConnectionFailure,
    ExecutionTimeout,
    WTimeoutError,
    mongoengine.ConnectionFailure,
)
"""What the drivers raise when the database server is unavailable. `is_unavailable` finds more."""
LABELS = ("RetryableWriteError", "UnknownTransactionCommitResult", "SystemOverloadedError")
"""By these the server says that the same may succeed later, or on another server."""
CODES = {
    6: "HostUnreachable",
    7: "HostNotFound",
    13: "Unauthorized",
    18: "AuthenticationFailed",
    43: "CursorNotFound",
    64: "WriteConcernFailed",
    89: "NetworkTimeout",
    91: "ShutdownInProgress",
    94: "NotYetInitialized",
    100: "UnsatisfiableWriteConcern",
    133: "FailedToSatisfyReadPreference",
    134: "ReadConcernMajorityNotAvailableYet",
    189: "PrimarySteppedDown",
    202: "NetworkInterfaceExceededTimeLimit",
    237: "CursorKilled",
    262: "ExceededTimeLimit",
    317: "ConnectionPoolExpired",
    391: "ReauthenticationRequired",
    9001: "SocketException",
    10058: "LegacyNotPrimary",
    10107: "NotWritablePrimary",
    11600: "InterruptedAtShutdown",
    11602: "InterruptedDueToReplStateChange",
    13435: "NotPrimaryNoSecondaryOk",
    13436: "NotPrimaryOrSecondary",
}
"""The server's codes for a server that is not primary, shuts down, is not reached by its own set, or refuses our login.

Source: src/mongo/base/error_codes.yml of MongoDB, categories NotPrimaryError, ShutdownError, NetworkError and RetriableError."""
NO_SESSIONS = "Sessions are not supported"
"""The driver's text for a connection that has none, in a ConfigurationError without a code."""

LISTENERS = (CommandWaits(), ConnectionWaits(), PrimaryWaits())
"""The same objects at each call: MongoEngine refuses a second connection with other settings under the same alias."""

T = TypeVar("T")
Bson = Mapping[str, Any]
"""A document of MongoDB as PyMongo reads it. A store converts it to a type of the domain."""
Db = Database[dict[str, Any]]


def connect(uri: str) -> Db:
    """Connect MongoEngine's default alias. Call it after the fork. It does no I/O. It may be called again with the same URI."""
    client = mongoengine.connect(
        host=uri,
        timeoutMS=TIMEOUT_MS,
        serverSelectionTimeoutMS=TIMEOUT_MS,
        connectTimeoutMS=2000,
        tz_aware=True,
        uuidRepresentation="standard",
        appname="microshop",
        event_listeners=LISTENERS,
        _pool_class=SessionPool,
    )
    return cast(Db, client.get_default_database())


def is_unavailable(error: BaseException | None) -> bool:
    """Whether an error means that the database server does not serve now: by its class, a label, or a code at any depth."""
    if isinstance(error, UNAVAILABLE_ERRORS):
        return True
    if isinstance(error, ConfigurationError):
        return str(error).startswith(NO_SESSIONS)
    if isinstance(error, PyMongoError) and any(map(error.has_error_label, LABELS)):
        return True
    if isinstance(error, OperationFailure):
        return any(code in CODES for code in _codes(error.code, error.details))
    return isinstance(error, mongoengine.OperationError) and is_unavailable(error.__cause__ or error.__context__)


def _codes(code: int | None, details: Mapping[str, Any] | None) -> Iterator[int | None]:
    """The code of an error, and those of the write concern errors in it."""
    yield code
    nested = details or {}
    for found in (nested.get("writeConcernError"), *nested.get("writeConcernErrors", ())):
        yield (found or {}).get("code")


def database_time(db: Db) -> datetime:
    """The server's time in UTC, in whole milliseconds."""
    answer = db.command("hello", codec_options=db.codec_options)  # without them, its time would have no time zone
    moment: datetime = answer["localTime"]
    return moment


def ping(db: Db) -> Mapping[str, object]:
    """Health check. Raises an error of UNAVAILABLE_ERRORS when the server does not answer within 2 s."""
    with pymongo.timeout(2):
        db.command("ping")
    return {}
